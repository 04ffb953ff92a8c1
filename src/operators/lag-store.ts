import type { Snapshot } from '../records.ts';
import type { RowPlaces } from './feature-writers.ts';
import type { KeptRows } from './kept-rows.ts';
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
  /** By row of the block at hand: where it stands in the rings of its key. */
  #places = new Int32Array(0);

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

  /** Takes in the rows of a block; `push` then does so field by field. Forgets what a key before left in a new slot. */
  open({ count, slots, areNew }: KeptRows, slotCount: number): void {
    this.#makeRoom(slotCount);
    if (count > this.#places.length) this.#places = new Int32Array(count);
    for (let row = 0; row < count; row += 1) {
      const slot = slots[row]!;
      const place = areNew[row] === 1 ? 0 : this.#cursors[slot]!;
      this.#places[row] = place;
      this.#cursors[slot] = place + 1 === this.#depth ? 0 : place + 1;
    }
  }

  /** Pushes a field's values, row by row; before each, writes the values that some features want from before it. */
  push(
    field: number,
    values: Float64Array,
    { count, indexes, slots, areNew }: KeptRows,
    wants: readonly LagWant[],
    { out, stride }: RowPlaces,
    missed: Int32Array,
  ): void {
    const depth = this.#depth;
    const rings = this.#values;
    const fieldCount = this.#fieldCount;
    for (let row = 0; row < count; row += 1) {
      const ring = (slots[row]! * fieldCount + field) * depth;
      if (areNew[row] === 1) rings.fill(Number.NaN, ring, ring + depth);
      const place = this.#places[row]!;
      for (let index = 0; index < wants.length; index += 1) {
        const want = wants[index]!;
        const before = place - want.rows;
        const value = rings[ring + (before < 0 ? before + depth : before)]!;
        out[row * stride + want.at] = value;
        if (Number.isNaN(value)) missed[want.feature]! += 1;
      }
      rings[ring + place] = values[indexes[row]!]!;
    }
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

  #makeRoom(slotCount: number): void {
    if (slotCount <= this.#cursors.length) return;
    const slots = Math.max(64, 2 * slotCount);
    this.#values = grown(this.#values, new Float64Array(slots * this.#fieldCount * this.#depth));
    this.#cursors = grown(this.#cursors, new Int32Array(slots));
  }
}

/** A feature that wants a field's value `rows` rows before, and its first column. */
export interface LagWant {
  readonly feature: number;
  readonly rows: number;
  readonly at: number;
}

function grown<Array extends Float64Array | Int32Array>(from: Array, to: Array): Array {
  to.set(from);
  return to;
}
