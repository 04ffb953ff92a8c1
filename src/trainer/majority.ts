import type { Snapshot } from '../records.ts';
import { type Learner, type LearnResult, noBadRows, type Rows, type Weight } from './learner.ts';
import { float64Array } from './snapshot-parts.ts';

/**
 * Predicts each class with its share of the labels learned so far, so that the likeliest is the majority class (of equals
 * the first) and the log loss is that of the class frequencies. All 0 while nothing was learned.
 */
export class MajorityLearner implements Learner {
  readonly #counts: Float64Array;

  constructor(maxClasses: number) {
    this.#counts = new Float64Array(maxClasses);
  }

  predict(rows: Rows): Float64Array {
    const shares = this.#shares();
    const predictions = new Float64Array(rows.rowCount * shares.length);
    for (let i = 0; i < rows.rowCount; i++) predictions.set(shares, i * shares.length);
    return predictions;
  }

  learn(rows: Rows, labels: Float64Array): LearnResult {
    const predictions = this.predict(rows);
    for (let i = 0; i < rows.rowCount; i++) this.#counts[labels[i]!] = this.#counts[labels[i]!]! + 1;
    return { predictions, loss: NaN, applied: true, badRows: noBadRows };
  }

  weights(): readonly Weight[] {
    return [{ name: 'shares', shape: [this.#counts.length], values: Float32Array.from(this.#shares()) }];
  }

  snapshot(): Snapshot {
    return { json: {}, arrays: { 'weights.counts': this.#counts.slice() } };
  }

  restore(snapshot: Snapshot): void {
    this.#counts.set(float64Array(snapshot.arrays, 'weights.counts', this.#counts.length));
  }

  dispose(): void {
    // Holds nothing outside the heap.
  }

  #shares(): Float64Array {
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    return this.#counts.map((count) => (total === 0 ? 0 : count / total));
  }
}
