import assert from 'node:assert/strict';
import { batchColumns, type BatchColumns, batchRowBytes, ColumnMemory } from '../columns.ts';
import type { Batch, ScaledBlock, Snapshot } from '../records.ts';
import { SharedColumns } from './shared-columns.ts';
import { arrayOf } from './snapshot-parts.ts';

const noRelease = (): void => undefined;

/**
 * Gathers rows into batches. A batch that lies within one block is a view of it; rows of several blocks, and those of the
 * partial batch, are copied, into memory that a released batch gives back. So a block is released when the last batch sealed from it is, or on the spot where it sealed
 * none: the rest, in the partial batch, does not need it.
 */
export class Batcher {
  readonly #maxRows: number;
  readonly #featureCount: number;
  readonly #shared = new SharedColumns();
  readonly #memory = new ColumnMemory();
  #buffer: ArrayBuffer;
  #partial: BatchColumns;
  #rowCount = 0;
  #full: Batch[] = [];

  /** `maxRows`: rows of a full batch, at least 1. */
  constructor(maxRows: number, featureCount: number) {
    this.#maxRows = maxRows;
    this.#featureCount = featureCount;
    this.#buffer = this.#memory.take(maxRows * batchRowBytes(featureCount));
    this.#partial = batchColumns(this.#buffer, maxRows, featureCount);
  }

  /** Rows in the partial batch. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Takes in all rows of a block. */
  push(block: ScaledBlock): void {
    assert.equal(block.featureCount, this.#featureCount, 'the block has another number of features');
    const sealsOne = this.#rowCount + block.rowCount >= this.#maxRows;
    this.#take({ ...this.#shared.of(block), ...columnsOf(block) }, block.rowCount, () => {
      block.release();
    });
    if (!sealsOne) block.release();
  }

  /** Hands over the batches that became full, in order. */
  takeFull(): readonly Batch[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** Seals and hands over the partial batch; null where it has no rows. Take the full ones first. */
  seal(): Batch | null {
    return this.#rowCount === 0 ? null : this.#seal(noRelease);
  }

  /** Copies of the rows in the partial batch. */
  snapshot(): Snapshot {
    const { features, ...columns } = this.#partial;
    const arrays = Object.entries(columns).map(([name, column]) => [name, column.slice(0, this.#rowCount)] as const);
    return {
      json: {},
      arrays: { ...Object.fromEntries(arrays), features: features.slice(0, this.#rowCount * this.#featureCount) },
    };
  }

  /** Only into an empty batcher of the same features. Rows that fill a batch of today's size are at once to be taken. */
  restore(snapshot: Snapshot): void {
    const targets = arrayOf(snapshot, 'targets', Float64Array);
    const rows: BatchColumns = {
      features: arrayOf(snapshot, 'features', Float32Array),
      targets,
      timesMs: arrayOf(snapshot, 'timesMs', Float64Array),
      timestampsMs: arrayOf(snapshot, 'timestampsMs', Float64Array),
      offsets: arrayOf(snapshot, 'offsets', Float64Array),
      keyIds: arrayOf(snapshot, 'keyIds', Int32Array),
      originIds: arrayOf(snapshot, 'originIds', Int32Array),
      partitions: arrayOf(snapshot, 'partitions', Int32Array),
      isScored: arrayOf(snapshot, 'isScored', Uint8Array),
      evictedKeyIds: arrayOf(snapshot, 'evictedKeyIds', Int32Array),
    };
    assert.equal(rows.features.length, targets.length * this.#featureCount, 'the snapshot has other features');
    this.#take(rows, targets.length, noRelease);
  }

  /** Takes rows in; `release` goes with the last batch that they fill. */
  #take(rows: BatchColumns, rowCount: number, release: () => void): void {
    let taken = this.#rowCount === 0 ? 0 : this.#append(rows, 0, rowCount);
    const isLast = (): boolean => rowCount - taken < this.#maxRows;
    if (this.#rowCount === this.#maxRows) this.#full.push(this.#seal(isLast() ? release : noRelease));
    while (!isLast()) {
      const start = taken;
      taken += this.#maxRows;
      this.#full.push(batchOf(rows, start, taken, this.#featureCount, isLast() ? release : noRelease));
    }
    if (taken < rowCount) this.#append(rows, taken, rowCount);
  }

  /** Copies rows [start, end) into the partial batch, as many as it has room for; answers where it stopped. */
  #append(rows: BatchColumns, start: number, end: number): number {
    const stop = Math.min(end, start + this.#maxRows - this.#rowCount);
    copyRows(rows, start, stop, this.#partial, this.#rowCount, this.#featureCount);
    this.#rowCount += stop - start;
    return stop;
  }

  #seal(release: () => void): Batch {
    const buffer = this.#buffer;
    const sealed = batchOf(this.#partial, 0, this.#rowCount, this.#featureCount, () => {
      release();
      this.#memory.give(buffer);
    });
    this.#buffer = this.#memory.take(this.#maxRows * batchRowBytes(this.#featureCount));
    this.#partial = batchColumns(this.#buffer, this.#maxRows, this.#featureCount);
    this.#rowCount = 0;
    return sealed;
  }
}

/** Rows [start, end) as a batch over the same arrays. */
function batchOf(rows: BatchColumns, start: number, end: number, featureCount: number, release: () => void): Batch {
  return {
    barrier: null,
    isEndOfInput: false,
    release,
    rowCount: end - start,
    featureCount,
    features: rows.features.subarray(start * featureCount, end * featureCount),
    targets: rows.targets.subarray(start, end),
    timesMs: rows.timesMs.subarray(start, end),
    timestampsMs: rows.timestampsMs.subarray(start, end),
    offsets: rows.offsets.subarray(start, end),
    keyIds: rows.keyIds.subarray(start, end),
    originIds: rows.originIds.subarray(start, end),
    partitions: rows.partitions.subarray(start, end),
    isScored: rows.isScored.subarray(start, end),
    evictedKeyIds: evictedOf(rows.evictedKeyIds, start, end),
  };
}

const noKeys = new Int32Array(0);

function evictedOf(evictedKeyIds: Int32Array, start: number, end: number): Int32Array {
  let count = 0;
  for (let row = start; row < end; row += 1) if (evictedKeyIds[row]! >= 0) count += 1;
  return count === 0 ? noKeys : evictedKeyIds.subarray(start, end).filter((id) => id >= 0);
}

/** A batch without rows, to carry a mark. */
export function emptyBatch(featureCount: number): Batch {
  return {
    barrier: null,
    isEndOfInput: false,
    release: noRelease,
    rowCount: 0,
    featureCount,
    ...batchColumns(new ArrayBuffer(0), 0, featureCount),
  };
}

/** The columns that a block has by row. */
function columnsOf(block: ScaledBlock): Omit<BatchColumns, 'originIds' | 'partitions' | 'isScored'> {
  const { features, targets, timesMs, timestampsMs, offsets, keyIds, evictedKeyIds } = block;
  return { features, targets, timesMs, timestampsMs, offsets, keyIds, evictedKeyIds };
}

function copyRows(
  from: BatchColumns,
  start: number,
  end: number,
  to: BatchColumns,
  at: number,
  featureCount: number,
): void {
  to.features.set(from.features.subarray(start * featureCount, end * featureCount), at * featureCount);
  to.targets.set(from.targets.subarray(start, end), at);
  to.timesMs.set(from.timesMs.subarray(start, end), at);
  to.timestampsMs.set(from.timestampsMs.subarray(start, end), at);
  to.offsets.set(from.offsets.subarray(start, end), at);
  to.keyIds.set(from.keyIds.subarray(start, end), at);
  to.originIds.set(from.originIds.subarray(start, end), at);
  to.partitions.set(from.partitions.subarray(start, end), at);
  to.isScored.set(from.isScored.subarray(start, end), at);
  to.evictedKeyIds.set(from.evictedKeyIds.subarray(start, end), at);
}
