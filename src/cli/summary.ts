import type { CheckpointFacts } from '../checkpoint/manifest.ts';
import { partitionName, type Metrics, type Outcomes } from '../records.ts';
import type { Ending } from './service.ts';

/** The document that `run --once --json` prints. */
export function summaryOf({ facts, seconds, recordsRead }: Ending, served: string): Record<string, unknown> {
  return {
    ...summaryOfFacts(facts, served),
    seconds,
    recordsPerSecond: seconds > 0 ? recordsRead / seconds : 0,
  };
}

function summaryOfFacts(facts: CheckpointFacts, served: string): Record<string, unknown> {
  const { records, step, models, baseline, weightsDigest, positions, backend } = facts;
  return {
    records,
    steps: step,
    metrics: models[served]?.metrics ?? {},
    baseline: { kind: baseline.kind, ...baseline.metrics },
    models,
    weightsDigest,
    positions: Object.fromEntries(positions.map((position) => [partitionName(position), position.nextOffset])),
    backend,
  };
}

/** What the scores of a run are. */
export type Scored = Pick<CheckpointFacts, 'records' | 'models' | 'baseline'>;

/** The same for people. */
export function summaryLines({ records, models, baseline }: Scored, served: string): string[] {
  const scores = { ...models, baseline };
  const width = Math.max(...Object.keys(scores).map((name) => name.length));
  return [
    outcomesLine(records),
    ...Object.entries(scores).map(([name, report]) => {
      const note = name === served ? ' (served)' : name === 'baseline' ? ` (${report.kind})` : '';
      return `  ${name.padEnd(width)}  ${metricsText(report.metrics)}${note}`;
    }),
  ];
}

const digits = new Intl.NumberFormat('en', { minimumSignificantDigits: 5, maximumSignificantDigits: 5 });

export function metricsText(metrics: Metrics): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value === null ? 'undefined' : digits.format(value)}`)
    .join('  ');
}

function outcomesLine({ read, trained, rejected, filtered, unlabelled, pending }: Outcomes): string {
  return `${read} records: ${trained} trained, ${rejected} rejected, ${filtered} filtered, ${unlabelled} unlabelled, ${pending} pending`;
}
