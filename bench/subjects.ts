import { fetchTopics } from './fetch-topics.ts';
import type { figureKinds } from './figures.ts';
import { scaling } from './scaling.ts';
import type { StageName } from './stages.ts';

/** Something that the bench measures, the stage that measures it, and what is said of it. */
export interface Subject {
  readonly name: string;
  readonly stage: StageName;
  readonly figures: readonly (keyof typeof figureKinds)[];
  readonly rowsPerStep?: number;
  /** The program that is measured where it is not this one. */
  readonly against?: string;
}

const flow = ['rowsPerSecond', 'cpuSecondsPerMillion'] as const;

const memory = [...flow, 'peakRssMiB'] as const;

/** The table of `npm run bench`, which fails where one of these rows is missing. */
export const subjects: readonly Subject[] = [
  { name: 'logRead', stage: 'logRead', figures: flow },
  { name: 'decode.avro', stage: 'decode', figures: flow },
  { name: 'decode.json', stage: 'decode', figures: flow },
  { name: 'decode.csv', stage: 'decode', figures: flow },
  { name: 'derive', stage: 'derive', figures: flow },
  { name: 'normalize', stage: 'normalize', figures: flow },
  { name: 'batch', stage: 'batch', figures: flow },
  // The plain names are of the backend that `auto` takes.
  ...[
    ['step', 32],
    ['step', 256],
    ['step', 1024],
    ['step', 4096],
    ['step.wasm', 32],
    ['step.wasm', 1024],
    ['step.cpu', 32],
    ['step.cpu', 1024],
  ].map(([prefix, rows]) => stepSubject(String(prefix), Number(rows))),
  { name: 'endToEnd.log', stage: 'endToEndLog', figures: memory },
  { name: 'endToEnd.log.wasm', stage: 'endToEndLog', figures: memory },
  ...fetchTopics.flatMap(({ name }): Subject[] => [
    { name, stage: 'fetch', figures: flow },
    { name: `${name}.kafkajs`, stage: 'fetch', figures: flow, against: 'kafkajs' },
  ]),
  { name: 'endToEnd.kafka', stage: 'endToEndKafka', figures: memory },
  { name: 'endToEnd.kafka.4096', stage: 'endToEndKafka', figures: memory },
  { name: 'endToEnd.kafka.wasm', stage: 'endToEndKafka', figures: memory },
  { name: 'freshness', stage: 'freshness', figures: ['p50Ms', 'p99Ms', 'cpuSecondsPerMillion'] },
];

/** What `npm run bench:peers` measures besides. */
export const deepSubjects: readonly Subject[] = [
  ...[1024, 8192].map((rows) => ({ ...stepSubject('largeStep', rows), stage: 'largeStep' as const })),
  { name: 'sustained', stage: 'sustained', figures: memory },
  ...scaling.map(({ subject }): Subject => ({ name: subject, stage: 'scaling', figures: flow })),
];

function stepSubject(prefix: string, rowsPerStep: number): Subject {
  return { name: `${prefix}.${rowsPerStep}`, stage: 'step', figures: [...flow, 'msPerStep'], rowsPerStep };
}
