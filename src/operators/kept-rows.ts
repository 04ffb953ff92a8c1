/** The rows that `derive` keeps of the block at hand, [count] each: scratch, written over by the next block. */
export class KeptRows {
  count = 0;
  /** Where each stands in the decoded columns. */
  indexes = new Int32Array(0);
  /** The slot of its key, */
  slots = new Int32Array(0);
  /** and 1 where the key was given that slot by this row. */
  areNew = new Uint8Array(0);

  /** Empties it and makes room for so many rows. */
  reset(capacity: number): void {
    this.count = 0;
    if (capacity <= this.indexes.length) return;
    this.indexes = new Int32Array(capacity);
    this.slots = new Int32Array(capacity);
    this.areNew = new Uint8Array(capacity);
  }

  add(index: number, slot: number, isNew: boolean): void {
    const row = this.count;
    this.indexes[row] = index;
    this.slots[row] = slot;
    this.areNew[row] = isNew ? 1 : 0;
    this.count = row + 1;
  }
}
