/** A transaction that ends in an abort within or behind the fetched offsets. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/**
 * Which producers' records are aborted, while a partition's fetch is walked in offset order. As in Kafka's own consumer:
 * from a transaction's first offset up to its producer's next abort marker.
 */
export class AbortedProducers {
  /** By descending first offset. */
  readonly #ahead: AbortedTransaction[];
  readonly #producers = new Set<number>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#ahead = [...transactions].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Takes in the transactions that begin at or before `offset`. */
  reach(offset: number): void {
    for (let next = this.#ahead.at(-1); next !== undefined && next.firstOffset <= offset; next = this.#ahead.at(-1)) {
      this.#producers.add(next.producerId);
      this.#ahead.pop();
    }
  }

  has(producerId: number): boolean {
    return this.#producers.has(producerId);
  }

  /** The producer's abort marker was reached. */
  end(producerId: number): void {
    this.#producers.delete(producerId);
  }
}
