import assert from 'node:assert/strict';
import type { Batch, ScaledBlock, Snapshot } from '../records.ts';
import { arrayOf } from './snapshot-parts.ts';

/** The columns of rows at hand; each array has one value a row, `features` one row of values. */
interface RowColumns {
  readonly features: Float32Array;
  readonly targets: Float64Array;
  readonly timesMs: Float64Array;
  readonly timestampsMs: Float64Array;
  readonly offsets: Float64Array;
  readonly keyIds: Int32Array;
  readonly originIds: Int32Array;
  readonly partitions: Int32Array;
  readonly isScored: Uint8Array;
  /** -1 where the row pushed out no key. */
  readonly evictedKeyIds: Int32Array;
}

const noRelease = (): void => undefined;

/**
 * Gathers rows into batches. Rows are copied out of their block at once, so that a block is released when the last batch
 * sealed from it is, or on the spot where it sealed none: the rest, in the partial batch, does not need its bytes.
 */
export class Batcher {
  readonly #maxRows: number;
  readonly #featureCount: number;
  #partial: RowColumns;
  #rowCount = 0;
  #full: Batch[] = [];

  /** `maxRows`: rows of a full batch, at least 1. */
  constructor(maxRows: number, featureCount: number) {
    this.#maxRows = maxRows;
    this.#featureCount = featureCount;
    this.#partial = emptyColumns(maxRows, featureCount);
  }

  /** Rows in the partial batch. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Takes in all rows of a block. */
  push(block: ScaledBlock): void {
    assert.equal(block.featureCount, this.#featureCount, 'the block has another number of features');
    const sealsOne = this.#rowCount + block.rowCount >= this.#maxRows;
    this.#append(columnsOf(block), block.rowCount, () => {
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
    const rows: RowColumns = {
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
    this.#append(rows, targets.length, noRelease);
  }

  /** Copies rows in; `release` goes with the last batch that they fill. */
  #append(rows: RowColumns, rowCount: number, release: () => void): void {
    let taken = 0;
    while (taken < rowCount) {
      const end = Math.min(rowCount, taken + this.#maxRows - this.#rowCount);
      copyRows(rows, taken, end, this.#partial, this.#rowCount, this.#featureCount);
      this.#rowCount += end - taken;
      taken = end;
      if (this.#rowCount < this.#maxRows) return;
      const isLast = rowCount - taken < this.#maxRows;
      this.#full.push(this.#seal(isLast ? release : noRelease));
    }
  }

  #seal(release: () => void): Batch {
    const { features, evictedKeyIds, ...columns } = this.#partial;
    const rowCount = this.#rowCount;
    this.#partial = emptyColumns(this.#maxRows, this.#featureCount);
    this.#rowCount = 0;
    return {
      barrier: null,
      isEndOfInput: false,
      release,
      rowCount,
      featureCount: this.#featureCount,
      features: features.subarray(0, rowCount * this.#featureCount),
      targets: columns.targets.subarray(0, rowCount),
      timesMs: columns.timesMs.subarray(0, rowCount),
      timestampsMs: columns.timestampsMs.subarray(0, rowCount),
      offsets: columns.offsets.subarray(0, rowCount),
      keyIds: columns.keyIds.subarray(0, rowCount),
      originIds: columns.originIds.subarray(0, rowCount),
      partitions: columns.partitions.subarray(0, rowCount),
      isScored: columns.isScored.subarray(0, rowCount),
      evictedKeyIds: evictedKeyIds.subarray(0, rowCount).filter((id) => id >= 0),
    };
  }
}

/** A batch without rows, to carry a mark. */
export function emptyBatch(featureCount: number): Batch {
  return {
    barrier: null,
    isEndOfInput: false,
    release: noRelease,
    rowCount: 0,
    featureCount,
    ...emptyColumns(0, featureCount),
  };
}

function emptyColumns(rows: number, featureCount: number): RowColumns {
  return {
    features: new Float32Array(rows * featureCount),
    targets: new Float64Array(rows),
    timesMs: new Float64Array(rows),
    timestampsMs: new Float64Array(rows),
    offsets: new Float64Array(rows),
    keyIds: new Int32Array(rows),
    originIds: new Int32Array(rows),
    partitions: new Int32Array(rows),
    isScored: new Uint8Array(rows),
    evictedKeyIds: new Int32Array(rows),
  };
}

/** The rows of a block with what all of them share written out by row. */
function columnsOf(block: ScaledBlock): RowColumns {
  const { rowCount, features, targets, timesMs, timestampsMs, offsets, keyIds, evictedKeyIds } = block;
  return {
    features,
    targets,
    timesMs,
    timestampsMs,
    offsets,
    keyIds,
    originIds: new Int32Array(rowCount).fill(block.originId),
    partitions: new Int32Array(rowCount).fill(block.partition),
    isScored: new Uint8Array(rowCount).fill(block.isScored ? 1 : 0),
    evictedKeyIds,
  };
}

function copyRows(
  from: RowColumns,
  start: number,
  end: number,
  to: RowColumns,
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
