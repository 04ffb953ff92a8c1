import type { RowBlock } from '../records.ts';

export interface FeatureSampleOptions {
  readonly featureCount: number;
  /** Reads the features of the row that begins at `at`, one value each, NaN where missing. */
  readonly read: (columns: Float64Array, at: number, out: Float64Array) => void;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** Rows sampled in a second at the most, so that watching costs the same at any throughput. */
export const sampledPerSecond = 25;
/** The latest sampled rows, and a uniform sample of all before them. */
export const recentRows = 1000;
export const earlierRows = 2000;

/**
 * A sample of the feature values that passed: the latest rows, and a reservoir (Vitter 1985, algorithm R) of those before, to
 * compare them with. Rows are taken evenly from blocks, at most `sampledPerSecond`. Memory: 3,000 rows.
 */
export class FeatureSample {
  readonly #options: FeatureSampleOptions;
  readonly #random: () => number;
  /** [rows × features], row-major; the ring goes round. */
  readonly #recent: Float64Array;
  readonly #earlier: Float64Array;
  /** Rows ever taken; those beyond `recentRows` were offered to the reservoir. */
  #taken = 0;
  #allowance = sampledPerSecond;
  #filledAtMs: number;

  constructor(options: FeatureSampleOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#recent = new Float64Array(recentRows * options.featureCount);
    this.#earlier = new Float64Array(earlierRows * options.featureCount);
    this.#filledAtMs = options.now();
  }

  /** Rows sampled since the start. */
  get taken(): number {
    return this.#taken;
  }

  /** Copies some rows of a block, before they are normalized. */
  take({ rowCount, featureCount, features }: Pick<RowBlock, 'rowCount' | 'featureCount' | 'features'>): void {
    if (rowCount === 0) return;
    this.#refill();
    const rows = Math.min(rowCount, Math.floor(this.#allowance));
    this.#allowance -= rows;
    for (let index = 0; index < rows; index += 1) {
      this.#add(features, Math.floor((index * rowCount) / rows) * featureCount);
    }
  }

  /** Values of a feature that are not missing among the latest rows, ascending, and how many rows those are. */
  recent(feature: number): { readonly values: Float64Array; readonly rows: number } {
    return this.#column(this.#recent, Math.min(this.#taken, recentRows), feature);
  }

  /** The same of the rows before. */
  earlier(feature: number): { readonly values: Float64Array; readonly rows: number } {
    return this.#column(this.#earlier, Math.min(Math.max(0, this.#taken - recentRows), earlierRows), feature);
  }

  #refill(): void {
    const nowMs = this.#options.now();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * sampledPerSecond;
    this.#allowance = Math.min(sampledPerSecond, this.#allowance + Math.max(0, gained));
    this.#filledAtMs = nowMs;
  }

  #add(columns: Float64Array, at: number): void {
    const { featureCount: width, read } = this.#options;
    const slot = (this.#taken % recentRows) * width;
    const row = this.#recent.subarray(slot, slot + width);
    if (this.#taken >= recentRows) this.#offer(row, this.#taken - recentRows);
    read(columns, at, row);
    this.#taken += 1;
  }

  /** Gives the row that leaves the latest ones its chance to stay: `before` rows were offered before it. */
  #offer(row: Float64Array, before: number): void {
    const place = before < earlierRows ? before : Math.floor(this.#random() * (before + 1));
    if (place < earlierRows) this.#earlier.set(row, place * row.length);
  }

  #column(rows: Float64Array, rowCount: number, feature: number): { values: Float64Array; rows: number } {
    const width = this.#options.featureCount;
    const values = new Float64Array(rowCount);
    let count = 0;
    for (let row = 0; row < rowCount; row += 1) {
      const value = rows[row * width + feature]!;
      if (!Number.isNaN(value)) values[count++] = value;
    }
    return { values: values.subarray(0, count).sort(), rows: rowCount };
  }
}
