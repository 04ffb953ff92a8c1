import assert from 'node:assert/strict';
import type { Snapshot } from '../records.ts';
import { arrayOf } from './snapshot-parts.ts';

/**
 * Mean and variance of each feature over about the last `memory` values (Welford 1962 with its count capped, so that it
 * never freezes; beyond the cap the weights fade exponentially, Finch 2009). Missing values (NaN) are skipped.
 * Columns that are not scaled pass as they are.
 */
export class RunningMoments {
  readonly #isScaled: readonly boolean[];
  readonly #memory: number;
  readonly #counts: Float64Array;
  readonly #means: Float64Array;
  /** Sums of squared deviations: the variance is `m2 / count`. */
  readonly #m2s: Float64Array;

  /** `isScaled`: [featureCount]; `memory`: values, at least 2. */
  constructor(isScaled: readonly boolean[], memory: number) {
    this.#isScaled = isScaled;
    this.#memory = Math.max(2, memory);
    this.#counts = new Float64Array(isScaled.length);
    this.#means = new Float64Array(isScaled.length);
    this.#m2s = new Float64Array(isScaled.length);
  }

  /** Takes in one row of `features` [rowCount × featureCount], original units. */
  learn(features: Float64Array, at: number): void {
    for (let column = 0; column < this.#isScaled.length; column += 1) {
      const value = features[at + column]!;
      if (!this.#isScaled[column]! || Number.isNaN(value)) continue;
      let count = this.#counts[column]!;
      // At the cap the oldest value's share of the spread leaves before the new one comes.
      if (count >= this.#memory) this.#m2s[column]! *= (count - 1) / count;
      else count += 1;
      const delta = value - this.#means[column]!;
      this.#means[column]! += delta / count;
      this.#m2s[column]! += delta * (value - this.#means[column]!);
      this.#counts[column] = count;
    }
  }

  /** Writes one row standardized by the moments as they are, learning nothing; a missing value becomes 0 (the mean). */
  transform(features: Float64Array, out: Float32Array, at: number): void {
    for (let column = 0; column < this.#isScaled.length; column += 1) {
      const value = features[at + column]!;
      if (Number.isNaN(value)) out[at + column] = 0;
      else if (!this.#isScaled[column]!) out[at + column] = value;
      else {
        const variance = this.#m2s[column]! / this.#counts[column]!;
        const scale = variance > 0 ? Math.sqrt(variance) : 1;
        out[at + column] = (value - this.#means[column]!) / scale;
      }
    }
  }

  /** Mean and variance (of the population) of a column. */
  moments(column: number): { readonly count: number; readonly mean: number; readonly variance: number } {
    const count = this.#counts[column]!;
    return { count, mean: this.#means[column]!, variance: count === 0 ? 0 : this.#m2s[column]! / count };
  }

  snapshot(): Snapshot {
    return {
      json: {},
      arrays: { counts: this.#counts.slice(), means: this.#means.slice(), m2s: this.#m2s.slice() },
    };
  }

  /** Under a smaller memory than before, the count is cut down to it and the variance kept. */
  restore(snapshot: Snapshot): void {
    const counts = arrayOf(snapshot, 'counts', Float64Array);
    assert.equal(counts.length, this.#counts.length, 'the snapshot has another number of features');
    this.#counts.set(counts);
    this.#means.set(arrayOf(snapshot, 'means', Float64Array));
    this.#m2s.set(arrayOf(snapshot, 'm2s', Float64Array));
    for (let column = 0; column < counts.length; column += 1) {
      const count = this.#counts[column]!;
      if (count <= this.#memory) continue;
      this.#m2s[column]! *= this.#memory / count;
      this.#counts[column] = this.#memory;
    }
  }
}
