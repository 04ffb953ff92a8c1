import type { ScaledBlock } from '../records.ts';

/** Kinds of blocks whose columns are kept. */
const maxKinds = 256;

/** What all rows of a block have in common, written out by row; read only. */
interface Shared {
  readonly originIds: Int32Array;
  readonly partitions: Int32Array;
  readonly isScored: Uint8Array;
}

/** Columns with one value in every row. Blocks of one origin share them, so that none is filled for each block. */
export class SharedColumns {
  readonly #kinds = new Map<number, Shared>();

  /** [rowCount or more] each. */
  of({ originId, partition, isScored, rowCount }: ScaledBlock): Shared {
    const kind = 2 * originId + (isScored ? 1 : 0);
    const known = this.#kinds.get(kind);
    if (known !== undefined && known.partitions[0] === partition && known.originIds.length >= rowCount) return known;
    if (this.#kinds.size >= maxKinds) this.#kinds.clear();
    const columns = {
      originIds: new Int32Array(rowCount).fill(originId),
      partitions: new Int32Array(rowCount).fill(partition),
      isScored: new Uint8Array(rowCount).fill(isScored ? 1 : 0),
    };
    this.#kinds.set(kind, columns);
    return columns;
  }
}
