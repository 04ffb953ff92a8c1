import type { Rows } from './learner.ts';
import type { Arrays } from './snapshot-parts.ts';

/**
 * What all learners share about the labels seen so far. A batch stages its labels first: predictions go on with the
 * facts before, the step takes those after, and `commit` makes them the current ones.
 */
export interface TargetFacts {
  /** Takes the labels in as the next facts, replacing what was staged; returns the rows whose label cannot be learned. */
  stage(rows: Rows, labels: Float64Array): number[];
  /** The staged facts become the current ones. */
  commit(): void;
  snapshot(): Arrays;
  restore(arrays: Arrays): void;
}
