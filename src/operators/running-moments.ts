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

  /** `isScaled`: [featureCount]; `memory`: whole number of values, at least 2. */
  constructor(isScaled: readonly boolean[], memory: number) {
    this.#isScaled = isScaled;
    this.#memory = Math.max(2, Math.ceil(memory));
    this.#counts = new Float64Array(isScaled.length);
    this.#means = new Float64Array(isScaled.length);
    this.#m2s = new Float64Array(isScaled.length);
  }

  /**
   * Learns each row of `features` [rowCount × featureCount], original units, then writes it standardized into `out`; a
   * missing value becomes 0 (the mean). Column by column, since no column depends on another.
   */
  normalize(features: Float64Array, out: Float32Array, rowCount: number): void {
    const width = this.#isScaled.length;
    const end = rowCount * width;
    for (const [column, isScaled] of this.#isScaled.entries()) {
      if (isScaled) this.#normalizeColumn(column, features, out, end);
      else copyColumn(column, width, features, out, end);
    }
  }

  /**
   * Writes one row standardized by the moments as they are, learning nothing; a missing value becomes 0 (the mean). The latest
   * row learned comes out as it did from `normalize`, bit by bit.
   */
  transform(features: Float64Array, out: Float32Array, at: number): void {
    for (let column = 0; column < this.#isScaled.length; column += 1) {
      const value = features[at + column]!;
      if (Number.isNaN(value)) out[at + column] = 0;
      else if (!this.#isScaled[column]!) out[at + column] = value;
      else {
        const variance = this.#m2s[column]! * (1 / this.#counts[column]!);
        const scale = variance > 0 ? Math.sqrt(variance) : 1;
        out[at + column] = (value - this.#means[column]!) / scale;
      }
    }
  }

  #normalizeColumn(column: number, features: Float64Array, out: Float32Array, end: number): void {
    const width = this.#isScaled.length;
    const memory = this.#memory;
    // At the cap the oldest value's share of the spread leaves before the new one comes.
    const fade = (memory - 1) / memory;
    let count = this.#counts[column]!;
    let mean = this.#means[column]!;
    let m2 = this.#m2s[column]!;
    // Divisions are nearly all that this costs: one less for each value once the count stands still.
    let share = 1 / count;
    for (let at = column; at < end; at += width) {
      const value = features[at]!;
      if (Number.isNaN(value)) {
        out[at] = 0;
        continue;
      }
      if (count >= memory) m2 *= fade;
      else {
        count += 1;
        share = 1 / count;
      }
      const delta = value - mean;
      mean += delta * share;
      const deviation = value - mean;
      m2 += delta * deviation;
      const variance = m2 * share;
      out[at] = variance > 0 ? deviation / Math.sqrt(variance) : deviation;
    }
    this.#counts[column] = count;
    this.#means[column] = mean;
    this.#m2s[column] = m2;
  }

  /** Mean and variance (of the population) of a column. */
  moments(column: number): { readonly count: number; readonly mean: number; readonly variance: number } {
    const count = this.#counts[column]!;
    return { count, mean: this.#means[column]!, variance: count === 0 ? 0 : this.#m2s[column]! / count };
  }

  /** A copy of the moments. */
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

function copyColumn(column: number, width: number, features: Float64Array, out: Float32Array, end: number): void {
  for (let at = column; at < end; at += width) {
    const value = features[at]!;
    out[at] = Number.isNaN(value) ? 0 : value;
  }
}
