import type { PartitionLag } from '../progress.ts';
import type { Metrics, Outcomes, RejectReason } from '../records.ts';
import type { HistoryPoint } from './history.ts';
import type { State, Trouble } from './sentence.ts';

/** The names under which a pipeline shows itself. */
export interface Identity {
  readonly name: string;
  readonly version: string;
  readonly backend: string;
  readonly served: string;
}

/** One row of the table of models. */
export interface ModelStatus {
  readonly name: string;
  readonly kind: string;
  readonly role: 'served' | 'shadow' | 'baseline';
  readonly loss: number | null;
  readonly metrics: Metrics;
  readonly recent: Metrics;
  readonly scored: number;
  readonly steps: number;
  readonly withheld: number;
}

/** A dead letter as the page shows it. */
export interface DeadLetterStatus {
  readonly reason: RejectReason;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly atMs: number;
  readonly preview: string;
}

export interface CheckpointStatus {
  readonly id: string;
  readonly step: number;
  readonly atMs: number;
  readonly seconds: number;
  readonly bytes: number;
}

/** Everything that the live page shows: the state document of `/events`. Moments are Unix ms. */
export interface PipelineStatus {
  readonly identity: Identity | null;
  readonly atMs: number;
  readonly startedAtMs: number;
  readonly state: State;
  /** How it is going and, if not well, why and since when. */
  readonly sentence: string;
  /** Clock times in the sentence, so that a page elsewhere can put them in its own time zone. */
  readonly moments: readonly { readonly text: string; readonly ms: number }[];
  readonly isReady: boolean;
  readonly reasons: readonly Trouble[];
  readonly warnings: readonly Trouble[];
  readonly records: Outcomes;
  readonly rowsPerSecond: number;
  readonly freshnessSeconds: number | null;
  readonly eventTimeLagSeconds: number | null;
  readonly lagSeconds: number;
  /** Over all partitions, null where no end is known. */
  readonly lagRecords: number | null;
  readonly lags: readonly PartitionLag[];
  readonly pendingLabels: number;
  readonly oldestPendingMs: number | null;
  readonly lastLearnedMs: number | null;
  /** The metric that leads: `mae` or `accuracy`. */
  readonly metric: string;
  /** Fraction of the baseline's error that the served model saves, lately or, when finished, in all; for accuracy the difference. */
  readonly better: number | null;
  readonly models: readonly ModelStatus[];
  readonly deadLetters: { readonly total: number; readonly latest: readonly DeadLetterStatus[] };
  readonly checkpoints: readonly CheckpointStatus[];
  readonly history: { readonly revision: number; readonly points: readonly HistoryPoint[] };
}
