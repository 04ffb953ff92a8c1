import type { TypedArray } from './records.ts';

type ColumnType<Column> = {
  new (buffer: ArrayBuffer | SharedArrayBuffer, start: number, length: number): Column;
  readonly BYTES_PER_ELEMENT: number;
};

/** Cuts a buffer into columns, one behind the other: the widest numbers first, so that each is aligned. */
export function columnCutter(buffer: ArrayBuffer | SharedArrayBuffer) {
  let at = 0;
  return <Column extends TypedArray>(type: ColumnType<Column>, length: number): Column => {
    const column = new type(buffer, at, length);
    at += length * type.BYTES_PER_ELEMENT;
    return column;
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
