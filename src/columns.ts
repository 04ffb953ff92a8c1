import type { TypedArray } from './records.ts';

type ColumnType<Column> = {
  new (buffer: ArrayBuffer | SharedArrayBuffer, start: number, length: number): Column;
  readonly BYTES_PER_ELEMENT: number;
};

/** Cuts a buffer into columns from `start` on, one behind the other: the widest numbers first, so that each is aligned. */
export function columnCutter(buffer: ArrayBuffer | SharedArrayBuffer, start = 0) {
  let at = start;
  return <Column extends TypedArray>(type: ColumnType<Column>, length: number): Column => {
    const column = new type(buffer, at, length);
    at += length * type.BYTES_PER_ELEMENT;
    return column;
  };
}

/** Columns of rows on their way to the trainer; each array has one value a row, `features` one row of values. */
export interface BatchColumns {
  readonly targets: Float64Array;
  readonly timesMs: Float64Array;
  readonly timestampsMs: Float64Array;
  readonly offsets: Float64Array;
  readonly features: Float32Array;
  readonly keyIds: Int32Array;
  readonly originIds: Int32Array;
  readonly partitions: Int32Array;
  /** -1 where the row pushed out no key; in a slot of the ring, the keys that were, one behind the other. */
  readonly evictedKeyIds: Int32Array;
  readonly isScored: Uint8Array;
}

/** Bytes of one row in such columns: four Float64, features, four Int32 and a byte. */
export function batchRowBytes(featureCount: number): number {
  return 4 * 8 + 4 * featureCount + 4 * 4 + 1;
}

/** Such columns of so many rows over one buffer, from `start` on, a multiple of 8. */
export function batchColumns(
  buffer: ArrayBuffer | SharedArrayBuffer,
  rows: number,
  featureCount: number,
  start = 0,
): BatchColumns {
  const cut = columnCutter(buffer, start);
  return {
    targets: cut(Float64Array, rows),
    timesMs: cut(Float64Array, rows),
    timestampsMs: cut(Float64Array, rows),
    offsets: cut(Float64Array, rows),
    features: cut(Float32Array, rows * featureCount),
    keyIds: cut(Int32Array, rows),
    originIds: cut(Int32Array, rows),
    partitions: cut(Int32Array, rows),
    evictedKeyIds: cut(Int32Array, rows),
    isScored: cut(Uint8Array, rows),
  };
}

/** Free buffers of one size that are kept: about as many as blocks are on their way. */
const maxFree = 16;
const smallestBytes = 256;

/**
 * Memory for the columns of blocks, taken and given back. Node counts what it allocates outside its heap towards the next
 * collection of the whole heap, so that memory made for each block costs more than what is computed in it.
 *
 * Whoever gives a buffer back, once, must not look at it any more. One that never comes back is collected as any other.
 */
export class ColumnMemory {
  /** By the power of two that is their size. */
  readonly #free: ArrayBuffer[][] = [];

  /** At least so many bytes, whatever they hold. */
  take(bytes: number): ArrayBuffer {
    const power = Math.ceil(Math.log2(Math.max(bytes, smallestBytes)));
    return this.#free[power]?.pop() ?? new ArrayBuffer(2 ** power);
  }

  /** Takes back what `take` gave. */
  give(buffer: ArrayBuffer): void {
    const free = (this.#free[Math.log2(buffer.byteLength)] ??= []);
    if (free.length < maxFree) free.push(buffer);
  }
}
