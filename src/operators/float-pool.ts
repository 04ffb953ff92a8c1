/** Free arrays kept at the most: as many as blocks that are usually on their way behind an operator. */
const maxFree = 8;

/**
 * Arrays for the features of blocks, written over once their block is released; nobody may look at them then. A block that
 * is never released just keeps its array.
 */
export class FloatPool {
  readonly #free: Float32Array[] = [];

  /** An array of exactly this length, whatever it holds. */
  take(length: number): Float32Array {
    const free = this.#free.pop();
    return free?.length === length ? free : new Float32Array(length);
  }

  give(array: Float32Array): void {
    if (this.#free.length < maxFree) this.#free.push(array);
  }
}
