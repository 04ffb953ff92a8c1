import type { Snapshot } from '../records.ts';

/** Rows as learners see them. Learners keep no view of any of these arrays. */
export interface Rows {
  readonly rowCount: number;
  readonly featureCount: number;
  /** [rowCount × featureCount], row-major, standardized. */
  readonly features: Float32Array;
  /** [rowCount] */
  readonly keyIds: Int32Array;
  /** Target of the row itself, original units or class index, [rowCount]; NaN where missing. */
  readonly ownTargets: Float64Array;
  /** The key's latest target known when the row is predicted, [rowCount]; where none is: 0, or -1 for classes. */
  readonly lastTargets: Float64Array;
}

/** A named parameter of a learner, as the digest and exports see it. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major, length = product of `shape`. A copy. */
  readonly values: Float32Array;
}

/** What one step did. */
export interface LearnResult {
  /** [rowCount × outputCount], as `predict` would have answered before the step. */
  readonly predictions: Float64Array;
  /** Mean loss of the rows before the step, standardized units or nats; NaN for learners without a loss. */
  readonly loss: number;
  /** False where the step was not finite: nothing has changed then. */
  readonly applied: boolean;
  /** Rows whose own loss is not finite; empty where the step was applied. */
  readonly badRows: Int32Array;
}

/** One model among those that learn from the same rows. Synchronous; same seed and rows, same weights, bit by bit. */
export interface Learner {
  /** [rowCount × outputCount] in original units, or class probabilities (all 0 while no class is known). Changes nothing. */
  predict(rows: Rows): Float64Array;
  /** One step over all rows. `labels`: [rowCount], original units or class index. Not called without rows. */
  learn(rows: Rows, labels: Float64Array): LearnResult;
  /** Current parameters; none for learners without any. */
  weights(): readonly Weight[];
  /** Arrays named `weights.NAME` and `optimizer.SLOT.NAME`. */
  snapshot(): Snapshot;
  /** @throws CheckpointError where the arrays do not fit. */
  restore(snapshot: Snapshot): void;
  dispose(): void;
}

export const noBadRows = new Int32Array(0);
