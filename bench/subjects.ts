import { fetchTopics } from './fetch-topics.ts';
import type { figureKinds } from './figures.ts';
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

/** The whole table: the bench fails where one of these rows is missing. */
export const subjects: readonly Subject[] = [
  { name: 'logRead', stage: 'logRead', figures: flow },
  { name: 'decode.avro', stage: 'decode', figures: flow },
  { name: 'decode.json', stage: 'decode', figures: flow },
  { name: 'decode.csv', stage: 'decode', figures: flow },
  { name: 'derive', stage: 'derive', figures: flow },
  { name: 'normalize', stage: 'normalize', figures: flow },
  { name: 'batch', stage: 'batch', figures: flow },
  { name: 'step.32', stage: 'step', figures: [...flow, 'msPerStep'], rowsPerStep: 32 },
  { name: 'step.1024', stage: 'step', figures: [...flow, 'msPerStep'], rowsPerStep: 1024 },
  { name: 'endToEnd.log', stage: 'endToEndLog', figures: [...flow, 'peakRssMiB'] },
  ...fetchTopics.flatMap(({ name }): Subject[] => [
    { name, stage: 'fetch', figures: flow },
    { name: `${name}.kafkajs`, stage: 'fetch', figures: flow, against: 'kafkajs' },
  ]),
  { name: 'endToEnd.kafka', stage: 'endToEndKafka', figures: [...flow, 'peakRssMiB'] },
  { name: 'freshness', stage: 'freshness', figures: ['p50Ms', 'p99Ms', 'cpuSecondsPerMillion'] },
];
