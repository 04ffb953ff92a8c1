import type { CheckpointFacts } from '../checkpoint/manifest.ts';
import { partitionName, type Metrics, type ModelReport, type Outcomes } from '../records.ts';
import type { Ending } from './service.ts';

/** How a run went. */
export interface RunSummary {
  /** Of the pipeline's whole life, as `steps` is. */
  readonly records: Outcomes;
  /** Steps of the served model. */
  readonly steps: number;
  /** Scores of the served model; all scores are of predictions made before the label was learned. */
  readonly metrics: Metrics;
  readonly baseline: Readonly<Record<string, string | number | null>>;
  readonly models: Readonly<Record<string, ModelReport>>;
  /** SHA-256 of the served model's weights. */
  readonly weightsDigest: string;
  /** Next offset by `topic:partition`. */
  readonly positions: Readonly<Record<string, number>>;
  readonly backend: string;
  /** Of this run alone, as `recordsPerSecond` is. */
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

/** The document that `run --once --json` prints. */
export function summaryOf({ facts, seconds, recordsRead }: Ending, served: string): RunSummary {
  return {
    ...summaryOfFacts(facts, served),
    seconds,
    recordsPerSecond: seconds > 0 ? recordsRead / seconds : 0,
  };
}

function summaryOfFacts(facts: CheckpointFacts, served: string): Omit<RunSummary, 'seconds' | 'recordsPerSecond'> {
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
