/** The nouns that all parts share: blocks of records and rows, positions, barriers, snapshots, outcomes, reports. */

import { rejectReasonTexts } from './reject-reasons.ts';

/** Arrays that a snapshot holds. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** What JSON can say. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** State in memory as a value: small facts as JSON, bulk as named arrays (copies, never views of live state). */
export interface Snapshot {
  readonly json: JsonValue;
  readonly arrays: Readonly<Record<string, TypedArray>>;
}

/** Where reading goes on: the next offset of a partition and the leader epoch it was read in (-1 where unknown). */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  readonly epoch: number;
}

/** How far a partition is read, and where it ends as far as is known, -1 where it is not. */
export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  readonly endOffset: number;
}

/** The name of a partition in documents: `topic:partition`. */
export function partitionName(partition: { readonly topic: string; readonly partition: number }): string {
  return `${partition.topic}:${partition.partition}`;
}

/**
 * The mark in the stream that a checkpoint describes. It rides on an empty block, in order; each stateful
 * operator puts a copied snapshot of itself in `parts` as the barrier passes, so that all parts describe the same prefix.
 */
export interface Barrier {
  /** Ends of the blocks that went before, all of them wholly handed on when the barrier arrives anywhere. */
  readonly positions: readonly Position[];
  readonly parts: Map<string, Snapshot>;
}

/** What every block carries besides its rows. */
export interface Passage {
  /** Set only on an empty block. */
  readonly barrier: Barrier | null;
  /** True on the (empty) last block of bounded input: the only thing that seals a partial batch. */
  readonly isEndOfInput: boolean;
  /**
   * Gives the block's bytes back to the source as credit. Called once, when the block's rows are copied out: its arrays may
   * be written over from then on.
   */
  release(): void;
}

/** One header of a record. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** One partition's run of raw records in offset order: ranges into one backing buffer, no object per record. */
export interface RecordBlock extends Passage {
  readonly topic: string;
  readonly partition: number;
  readonly recordCount: number;
  /** Backing bytes of values and keys. */
  readonly bytes: Buffer;
  /** Byte ranges, [recordCount]; a length of -1 is null. */
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  readonly keyStarts: Int32Array;
  readonly keyLengths: Int32Array;
  /** Offsets, [recordCount], ascending, perhaps with gaps. */
  readonly offsets: Float64Array;
  /** Record timestamps (producer or broker), Unix milliseconds, [recordCount]. */
  readonly timestampsMs: Float64Array;
  /** Decodes the headers of one record, on demand. */
  headers(recordIndex: number): readonly RecordHeader[];
  /** Cells of each record where the source had to parse delimited text anyway, [recordCount]. */
  readonly cells?: readonly (readonly string[])[];
  /** Where reading goes on after this block; covers control records and gaps. */
  readonly nextOffset: number;
  readonly epoch: number;
  /** False in the later passes over bounded data: such rows are learned, not scored. */
  readonly isScored: boolean;
  /** The partition's known end (first offset not yet readable) when the block was read, -1 where unknown. */
  readonly endOffset: number;
}

/** An empty block that carries a mark through the stream: a barrier, or the end of bounded input. */
export function markBlock(mark: { readonly barrier?: Barrier; readonly isEndOfInput?: boolean }): RecordBlock {
  return {
    barrier: mark.barrier ?? null,
    isEndOfInput: mark.isEndOfInput ?? false,
    release: () => undefined,
    topic: '',
    partition: -1,
    recordCount: 0,
    bytes: Buffer.alloc(0),
    valueStarts: new Int32Array(0),
    valueLengths: new Int32Array(0),
    keyStarts: new Int32Array(0),
    keyLengths: new Int32Array(0),
    offsets: new Float64Array(0),
    timestampsMs: new Float64Array(0),
    headers: () => [],
    nextOffset: -1,
    epoch: -1,
    isScored: true,
    endOffset: -1,
  };
}

/** Which fields the pipeline wants from each record, by dotted path. */
export interface FieldPlan {
  /** Read as numbers (booleans as 0 and 1); null is missing. */
  readonly numbers: readonly string[];
  /** Read as text (numbers and booleans by their shortest decimal form); null is missing. */
  readonly texts: readonly string[];
  /** Read as Unix milliseconds: a number, a timestamp logical type, or ISO 8601 text. */
  readonly times: readonly string[];
}

/** Wanted fields of a block's good records, one column a field in the order of the plan. */
export interface DecodedColumns {
  readonly rowCount: number;
  /** Where each row stands in the `RecordBlock` it came from, [rowCount], ascending. */
  readonly recordIndexes: Int32Array;
  /** [rowCount] each; NaN is missing. */
  readonly numbers: readonly Float64Array[];
  /** [rowCount] each; null is missing. */
  readonly texts: readonly (readonly (string | null)[])[];
  /** Whole Unix milliseconds, [rowCount] each; NaN is missing. */
  readonly times: readonly Float64Array[];
  /** Gives these columns back to the decoder, which writes later rows into them; nobody may look at them any more. */
  recycle?(): void;
}

/** The good records of one `RecordBlock` as columns. */
export interface DecodedBlock extends Passage, DecodedColumns {
  /** The records that the rows came from, for those that a later stage rejects. */
  readonly source: RecordBlock;
  /** Index of the topic-partition in the table that the checkpoint holds; -1 on an empty block. */
  readonly originId: number;
  readonly partition: number;
  readonly isScored: boolean;
  readonly offsets: Float64Array;
  readonly timestampsMs: Float64Array;
}

/** Features and target of a run of rows of one partition, before normalization. */
export interface RowBlock extends Passage {
  readonly originId: number;
  readonly partition: number;
  readonly isScored: boolean;
  readonly rowCount: number;
  readonly featureCount: number;
  /** [rowCount × featureCount], row-major, original units; NaN is missing. */
  readonly features: Float64Array;
  /** [rowCount], original units or class index; NaN is missing (only possible under a horizon). */
  readonly targets: Float64Array;
  /** Event time, Unix milliseconds, [rowCount]. */
  readonly timesMs: Float64Array;
  /** Record timestamp, Unix milliseconds, [rowCount]. */
  readonly timestampsMs: Float64Array;
  readonly offsets: Float64Array;
  /** Ids of the key table, never reused, [rowCount]. */
  readonly keyIds: Int32Array;
  /** The key that each row pushed out of the full table, -1 where none, [rowCount]. */
  readonly evictedKeyIds: Int32Array;
}

/** A `RowBlock` whose features are standardized. */
export interface ScaledBlock extends Omit<RowBlock, 'features'> {
  /** [rowCount × featureCount], row-major, standardized; a missing value is 0 (the mean). */
  readonly features: Float32Array;
}

/** The rows of one arrival group: what one `observe` takes and one ring slot holds. */
export interface Batch extends Passage {
  readonly rowCount: number;
  readonly featureCount: number;
  /** [rowCount × featureCount], row-major, standardized. */
  readonly features: Float32Array;
  readonly targets: Float64Array;
  readonly timesMs: Float64Array;
  readonly timestampsMs: Float64Array;
  readonly offsets: Float64Array;
  readonly keyIds: Int32Array;
  readonly originIds: Int32Array;
  readonly partitions: Int32Array;
  /** 1 where the prediction of the row counts, [rowCount]. */
  readonly isScored: Uint8Array;
  /** Keys to forget after this batch; at most one a row. */
  readonly evictedKeyIds: Int32Array;
}

/** Why a record went to the dead letters. */
export type RejectReason = keyof typeof rejectReasonTexts;
/** All of them. */
export const rejectReasons = Object.keys(rejectReasonTexts) as readonly RejectReason[];

/** Why a good record was left out on purpose. */
export const filterReasons = ['target.missing'] as const;
/** One of `filterReasons`. */
export type FilterReason = (typeof filterReasons)[number];

/** Where every record read ends. `read = trained + rejected + filtered + unlabelled + pending`. */
export interface Outcomes {
  readonly read: number;
  readonly trained: number;
  readonly rejected: number;
  readonly filtered: number;
  readonly unlabelled: number;
  readonly pending: number;
}

/** Scores by name: `mae`, `rmse`, `r2`, or `accuracy`, `logLoss`, `macroF1`, `kappa`; undefined is null. */
export type Metrics = Readonly<Record<string, number | null>>;

/** How one learner does. All scores are prequential: of predictions made before the label was learned. */
export interface ModelReport {
  readonly kind: string;
  /** Mean loss of the latest step in standardized units (the baseline has none). */
  readonly loss: number | null;
  readonly metrics: Metrics;
  /** The same over a fading window. */
  readonly recent: Metrics;
  readonly scored: number;
  readonly steps: number;
  /** Rows whose step was not applied because it was not finite. */
  readonly withheld: number;
}

/** Cumulative counts that the trainer owns, of the served model's life. */
export interface TrainerOutcomes {
  readonly trained: number;
  readonly rejected: number;
  readonly unlabelled: number;
  /** Rows that wait for their label. */
  readonly pending: number;
}

/** A row that the trainer refused: all that is left of it is what the ring carried. */
export interface RejectedRow {
  readonly originId: number;
  readonly offset: number;
  readonly keyId: number;
  readonly timeMs: number;
  readonly timestampMs: number;
  readonly target: number;
  readonly features: readonly number[];
}

/** How far the predictions of one key were off lately. */
export interface KeyError {
  readonly keyId: number;
  /** Mean absolute error in original units, or the share of rows with the wrong class, over about the last 100 rows looked at. */
  readonly error: number;
  /** The baseline's over the same rows. */
  readonly baselineError: number;
  /** Rows looked at. */
  readonly rows: number;
}

/** Predictions that were scored in one batch, in the order of their rows; asked for by `evaluate` only. */
export interface ScoredPredictions {
  readonly originIds: Int32Array;
  readonly offsets: Float64Array;
  /** Label in original units, or the class index. */
  readonly labels: Float64Array;
  /** By model, [rows × outputCount]: the value, or class probabilities. */
  readonly outputs: Readonly<Record<string, Float64Array>>;
}

/** The partition that most rows of a batch came from, and where in it they lie. */
export interface RowsOrigin {
  readonly originId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** One per batch, in order. */
export interface StepReport {
  readonly rowCount: number;
  /** Null where the batch has no rows. */
  readonly origin: RowsOrigin | null;
  readonly learnedRows: number;
  readonly outcomes: TrainerOutcomes;
  /** Event time of the oldest row that waits for its label, null where none waits. */
  readonly oldestPendingMs: number | null;
  /** Record timestamp and event time of the newest row learned so far, null where none was. */
  readonly newestTimestampMs: number | null;
  readonly newestTimeMs: number | null;
  readonly seconds: number;
  readonly models: Readonly<Record<string, ModelReport>>;
  readonly baseline: ModelReport;
  readonly rejectedRows: readonly RejectedRow[];
  /** Steps of the served model withheld in a row, 0 after a good one. */
  readonly withheldInARow: number;
  /** Keys that the served model predicts worst, worst first; null where nothing new is told. */
  readonly worstKeys: readonly KeyError[] | null;
  readonly predictions: ScoredPredictions | null;
}

/** Labelled rows on which versions of a model are tried, in the order in which their labels came. */
export interface LabelledRows {
  readonly rowCount: number;
  /** [rowCount × featureCount], row-major, original units; NaN is missing. */
  readonly features: Float64Array;
  /** The target that each row itself has, NaN where it has none or it is the label, [rowCount]. */
  readonly ownTargets: Float64Array;
  readonly keyIds: Int32Array;
  /** Original units or class index, [rowCount]. */
  readonly labels: Float64Array;
}

/** Rows of the latest checkpoint interval, or of the latest few where it has few, and a sample of those before. */
export interface TrialSlices {
  readonly recent: LabelledRows;
  readonly past: LabelledRows;
}

/** How the losses of a version compare with those of another on the same rows. */
export interface LossComparison {
  readonly rows: number;
  /** Mean losses (absolute error in original units, or log loss) of the version and of the one it is compared with. */
  readonly loss: number;
  readonly otherLoss: number;
  /** By what fraction the loss lies above the other's: the median over blocks of rows, and its confidence bounds. */
  readonly change: number;
  readonly atLeast: number;
  readonly atMost: number;
}

/** What became of a version. */
export const promotionActions = ['promoted', 'held', 'returned', 'pinned', 'unpinned', 'rolledBack'] as const;
/** One of `promotionActions`. */
export type PromotionAction = (typeof promotionActions)[number];

/** A decision about which version is served, with its numbers. */
export interface PromotionDecision {
  readonly action: PromotionAction;
  /** The version that was judged or asked for; for `returned` and `rolledBack` the one that is served again. */
  readonly version: string;
  /** The version that it was compared with, or that it replaced; null where there was none. */
  readonly other: string | null;
  /** Why, in a sentence without a full stop. */
  readonly message: string;
  readonly recent: LossComparison | null;
  readonly past: LossComparison | null;
  readonly atMs: number;
}

/** A checkpoint as a version of the models. */
export interface VersionFacts {
  readonly id: string;
  /** Steps of the served model. */
  readonly step: number;
  readonly savedAtMs: number;
}

/** What is served, and how far behind what is learned. */
export interface ServingFacts {
  readonly served: VersionFacts;
  /** Unix ms. */
  readonly servedSinceMs: number;
  /** What was served before, to which serving can go back. */
  readonly previous: string | null;
  readonly newest: VersionFacts;
  readonly isPinned: boolean;
  /** Versions that were not promoted since the last one that was. */
  readonly heldInARow: number;
}
