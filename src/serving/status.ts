import type { PartitionLag } from '../progress.ts';
import type { Metrics, Outcomes, PromotionDecision, RejectReason, ServingFacts } from '../records.ts';
import type { Bottleneck } from './bottleneck.ts';
import type { FeaturesStatus } from './feature-report.ts';
import type { HistoryPoint } from './history.ts';
import type { State, Trouble } from './sentence.ts';

/** The names under which a pipeline shows itself. */
export interface Identity {
  readonly name: string;
  readonly version: string;
  readonly backend: string;
  readonly served: string;
  /** Where records come from. */
  readonly source: 'kafka' | 'log' | 'csv' | 'program';
  /** The field that tells sensors apart, null where none does. */
  readonly keyField: string | null;
  readonly targetField: string;
  /** How far ahead the target lies, null where it is the record's own. */
  readonly horizonMs: number | null;
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
  /** The record, decoded where that is possible, without what is sensitive. */
  readonly preview: string;
  /** What was wrong; '' where that cannot be told. */
  readonly detail: string;
}

/** A checkpoint, and so a version of the models. */
export interface CheckpointStatus {
  readonly id: string;
  readonly step: number;
  readonly atMs: number;
  /** From its barrier at the trainer until it was durable; null where an earlier run saved it. */
  readonly seconds: number | null;
  readonly bytes: number;
  /** The leading metric of the served model over the fading window when it was saved, null where there was none. */
  readonly score: number | null;
}

/** A key whose predictions are off. */
export interface WorstKey {
  /** Null where keys are sensitive or it has left meanwhile. */
  readonly key: string | null;
  readonly error: number;
  readonly baselineError: number;
  readonly rows: number;
}

/** What is served, how far behind what is learned, and what was decided about it. */
export interface ServingStatus extends ServingFacts {
  /** Event time of the newest record that the served version learned, ISO 8601; null where it has none. */
  readonly trainedThrough: string | null;
  /** Latest first. */
  readonly decisions: readonly PromotionDecision[];
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
  /** The partitions furthest behind, at most 100, and how many there are. */
  readonly lags: readonly PartitionLag[];
  readonly partitions: number;
  readonly pendingLabels: number;
  readonly oldestPendingMs: number | null;
  readonly lastLearnedMs: number | null;
  /** The metric that leads: `mae` or `accuracy`. */
  readonly metric: string;
  /** Fraction of the baseline's error that the served model saves, lately or, when finished, in all; for accuracy the difference. */
  readonly better: number | null;
  readonly models: readonly ModelStatus[];
  readonly deadLetters: { readonly total: number; readonly latest: readonly DeadLetterStatus[] };
  readonly bottleneck: Bottleneck;
  /** Null before the pipeline stands. */
  readonly features: FeaturesStatus | null;
  /** Null before the first is known. */
  readonly worstKeys: readonly WorstKey[] | null;
  /** Newest first. */
  readonly checkpoints: readonly CheckpointStatus[];
  /** Null before the first version. */
  readonly serving: ServingStatus | null;
  readonly history: { readonly revision: number; readonly points: readonly HistoryPoint[] };
}
