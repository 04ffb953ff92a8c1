import type { Snapshot } from '../records.ts';
import { arrayOf } from './snapshot-parts.ts';

/**
 * The latest `depth` values of some fields by key slot: one ring a field, one cursor a slot, since all fields of a row
 * are pushed together. `values`: [slots × fields × depth], `cursors`: [slots].
 */
export class LagStore {
  readonly #fieldCount: number;
  readonly #depth: number;
  #values = new Float64Array(0);
  #cursors = new Int32Array(0);

  constructor(fieldCount: number, depth: number) {
    this.#fieldCount = fieldCount;
    this.#depth = depth;
  }

  /** A field's value `rows` (1 to depth) pushes ago; NaN where there were fewer. */
  read(slot: number, field: number, rows: number): number {
    if (slot >= this.#cursors.length) return Number.NaN;
    const place = (this.#cursors[slot]! - rows + this.#depth) % this.#depth;
    return this.#values[(slot * this.#fieldCount + field) * this.#depth + place]!;
  }

  /** Writes one field's value of the row at hand; `turn` ends the row. */
  write(slot: number, field: number, value: number): void {
    this.#values[(slot * this.#fieldCount + field) * this.#depth + this.#cursors[slot]!] = value;
  }

  turn(slot: number): void {
    this.#cursors[slot] = (this.#cursors[slot]! + 1) % this.#depth;
  }

  /** Makes room for a slot and forgets what a key before it left there. */
  clear(slot: number): void {
    const stride = this.#fieldCount * this.#depth;
    if (slot >= this.#cursors.length) {
      const slots = Math.max(64, 2 * slot);
      this.#values = grown(this.#values, new Float64Array(slots * stride));
      this.#cursors = grown(this.#cursors, new Int32Array(slots));
    }
    this.#values.fill(Number.NaN, slot * stride, (slot + 1) * stride);
    this.#cursors[slot] = 0;
  }

  /** Copies of the first `slotCount` slots. */
  snapshot(slotCount: number): Snapshot['arrays'] {
    return {
      lagValues: this.#values.slice(0, slotCount * this.#fieldCount * this.#depth),
      lagCursors: this.#cursors.slice(0, slotCount),
    };
  }

  restore(snapshot: Snapshot): void {
    this.#values = arrayOf(snapshot, 'lagValues', Float64Array).slice();
    this.#cursors = arrayOf(snapshot, 'lagCursors', Int32Array).slice();
  }
}

function grown<Array extends Float64Array | Int32Array>(from: Array, to: Array): Array {
  to.set(from);
  return to;
}
