import type { JsonValue } from '../records.ts';
import { float64Array, type Arrays } from './snapshot-parts.ts';

interface Entry {
  readonly partition: number;
  count: number;
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

  add(originId: number, partition: number, offset: number): void {
    let entry = this.#entries.get(originId);
    if (entry === undefined) {
      entry = { partition, count: 0, sums: new Uint32Array(2) };
      this.#entries.set(originId, entry);
    }
    entry.count++;
    const high = Math.floor(offset / 2 ** 32);
    for (let s = 0; s < 2; s++) {
      entry.sums[s] = entry.sums[s]! + fmix32(fmix32(fmix32(partition + s) ^ high) ^ (offset % 2 ** 32));
    }
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
    for (let i = 0; i < entries.length; i += 5) {
      const [originId, partition, count, sum0, sum1] = entries.subarray(i, i + 5);
      this.#entries.set(originId!, { partition: partition!, count: count!, sums: Uint32Array.of(sum0!, sum1!) });
    }
  }
}

/** The 32-bit finalizer of MurmurHash3 (Appleby, public domain): a bijection that spreads every bit. */
export function fmix32(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hexOf(sums: Uint32Array): string {
  return [...sums].map((sum) => sum.toString(16).padStart(8, '0')).join('');
}
