import type { Metrics, ModelReport, Outcomes } from '../../src/records.ts';

/** What `run --once --json` prints. */
export type { RunSummary as RunDocument } from '../../src/service/summary.ts';

/** What `evaluate --json` prints. */
export interface EvaluateDocument {
  readonly records: number;
  readonly task: 'regression' | 'classification';
  readonly model: string;
  readonly metrics: Metrics;
  readonly baseline: ModelReport;
  readonly models: Readonly<Record<string, ModelReport>>;
  readonly weightsDigest: string;
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

/** Count and hash of the records of a partition that were trained. */
export interface LedgerDocument {
  readonly count: number;
  readonly hash: string;
}

/** What `inspect DIR --json` prints, newest first. */
export interface InspectDocument {
  readonly pointer: string | null;
  readonly checkpoints: readonly {
    readonly id: string;
    readonly step: number;
    readonly createdAt: string;
    readonly positions: Readonly<Record<string, number>>;
    readonly records: Outcomes;
    readonly ledger: Readonly<Record<string, LedgerDocument>>;
    readonly weightsDigest: string;
    readonly intact: boolean;
  }[];
}
