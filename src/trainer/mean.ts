import type { Snapshot } from '../records.ts';
import { type Learner, type LearnResult, noBadRows, type Rows, type Weight } from './learner.ts';
import { float64Array } from './snapshot-parts.ts';
import type { TargetScale } from './target-scale.ts';

/** Predicts the mean of the labels (or changes) learned so far, 0 while none was. */
export class MeanLearner implements Learner {
  readonly #scale: TargetScale;
  /** Count and mean, the mean updated by its difference (Welford 1962). */
  readonly #state = new Float64Array(2);

  constructor(scale: TargetScale) {
    this.#scale = scale;
  }

  predict(rows: Rows): Float64Array {
    const { rowCount } = rows;
    const mean = this.#state[1]!;
    const predictions = new Float64Array(rowCount);
    for (let i = 0; i < rowCount; i++) predictions[i] = mean + this.#scale.base(rows, i);
    return predictions;
  }

  learn(rows: Rows, labels: Float64Array): LearnResult {
    const predictions = this.predict(rows);
    const { rowCount } = rows;
    let [count, mean] = [this.#state[0]!, this.#state[1]!];
    for (let i = 0; i < rowCount; i++) mean += (labels[i]! - this.#scale.base(rows, i) - mean) / ++count;
    this.#state.set([count, mean]);
    return { predictions, loss: NaN, applied: true, badRows: noBadRows };
  }

  weights(): readonly Weight[] {
    return [{ name: 'mean', shape: [1], values: Float32Array.of(this.#state[1]!) }];
  }

  snapshot(): Snapshot {
    return { json: {}, arrays: { 'weights.mean': this.#state.slice() } };
  }

  restore(snapshot: Snapshot): void {
    this.#state.set(float64Array(snapshot.arrays, 'weights.mean', 2));
  }

  dispose(): void {
    // Holds nothing outside the heap.
  }
}
