import { fmix32 } from '../fmix32.ts';
import type { JsonValue } from '../records.ts';
import { float64Array, type Arrays } from './snapshot-parts.ts';

interface Entry {
  readonly partition: number;
  count: number;
  /** ⌊offset / 2³²⌋ of the latest record, and for s = 0, 1 what the partition and it hash to. */
  high: number;
  readonly prefixes: Uint32Array;
  /** Sums modulo 2³² for s = 0 and s = 1. */
  readonly sums: Uint32Array;
}

/**
 * Proves which records were trained: per topic-partition their count and two sums of hashes of their offsets.
 *
 * For s = 0, 1: the sum mod 2³² of fmix32(fmix32(fmix32(partition + s) ^ ⌊offset / 2³²⌋) ^ offset mod 2³²). Sums do not
 * depend on the order, so an outside reader of the topic can recompute them.
 */
export class Ledger {
  readonly #entries = new Map<number, Entry>();
  /** Of the latest record: the next one is likely to be of the same topic-partition. */
  #latestOriginId = -1;
  #latest: Entry = emptyEntry(0);

  add(originId: number, partition: number, offset: number): void {
    const entry = originId === this.#latestOriginId ? this.#latest : this.#turnTo(originId, partition);
    const { prefixes, sums } = entry;
    const high = Math.floor(offset / 2 ** 32);
    if (high !== entry.high) {
      entry.high = high;
      for (let s = 0; s < 2; s++) prefixes[s] = fmix32(fmix32(partition + s) ^ high);
    }
    entry.count++;
    // Bitwise operators take numbers modulo 2³².
    sums[0] = sums[0]! + fmix32(prefixes[0]! ^ offset);
    sums[1] = sums[1]! + fmix32(prefixes[1]! ^ offset);
  }

  #turnTo(originId: number, partition: number): Entry {
    const entry = this.#entries.get(originId) ?? emptyEntry(partition);
    this.#entries.set(originId, entry);
    this.#latestOriginId = originId;
    this.#latest = entry;
    return entry;
  }

  /** `[{ originId, partition, count, hash }]` by origin; `hash` is the two sums as 16 hexadecimal digits. */
  report(): readonly { originId: number; partition: number; count: number; hash: string }[] {
    return [...this.#entries]
      .sort(([a], [b]) => a - b)
      .map(([originId, { partition, count, sums }]) => ({ originId, partition, count, hash: hexOf(sums) }));
  }

  snapshot(): { json: JsonValue; arrays: Arrays } {
    const entries = [...this.#entries].flatMap(([originId, { partition, count, sums }]) => [
      originId,
      partition,
      count,
      ...sums,
    ]);
    return { json: this.report(), arrays: { entries: Float64Array.from(entries) } };
  }

  restore(arrays: Arrays): void {
    const entries = float64Array(arrays, 'entries');
    this.#entries.clear();
    this.#latestOriginId = -1;
    for (let i = 0; i < entries.length; i += 5) {
      const [originId, partition, count, sum0, sum1] = entries.subarray(i, i + 5);
      const entry = emptyEntry(partition!);
      entry.count = count!;
      entry.sums.set([sum0!, sum1!]);
      this.#entries.set(originId!, entry);
    }
  }
}

function emptyEntry(partition: number): Entry {
  return { partition, count: 0, high: -1, prefixes: new Uint32Array(2), sums: new Uint32Array(2) };
}

function hexOf(sums: Uint32Array): string {
  return [...sums].map((sum) => sum.toString(16).padStart(8, '0')).join('');
}
