/**
 * Each writes one feature of many rows, a column at a time: row `indexes[row]` of the decoded columns to
 * `out[at + row × stride]`, in original units. Each answers how many of the values are missing.
 */
import type { NameTable } from './name-table.ts';

/** Where rows come from and where their features go. */
export interface RowPlaces {
  readonly count: number;
  /** Rows of the decoded columns, [count]. */
  readonly indexes: Int32Array;
  readonly out: Float64Array;
  readonly stride: number;
}

export function writePlain(values: Float64Array, { count, indexes, out, stride }: RowPlaces, at: number): number {
  let missed = 0;
  for (let row = 0, place = at; row < count; row += 1, place += stride) {
    const value = values[indexes[row]!]!;
    out[place] = value;
    if (Number.isNaN(value)) missed += 1;
  }
  return missed;
}

/** Sine and cosine, side by side. */
export function writeCyclic(
  values: Float64Array,
  period: number,
  { count, indexes, out, stride }: RowPlaces,
  at: number,
): number {
  let missed = 0;
  for (let row = 0, place = at; row < count; row += 1, place += stride) {
    const angle = (2 * Math.PI * values[indexes[row]!]!) / period;
    const sine = Math.sin(angle);
    out[place] = sine;
    out[place + 1] = Math.cos(angle);
    if (Number.isNaN(sine)) missed += 1;
  }
  return missed;
}

/** A column for each id of the table and one for the rest. `learns`: new names get ids. */
export function writeOneHot(
  names: readonly (string | null)[],
  table: NameTable,
  learns: boolean,
  { count, indexes, out, stride }: RowPlaces,
  at: number,
): number {
  let missed = 0;
  for (let row = 0, place = at; row < count; row += 1, place += stride) {
    const name = names[indexes[row]!] ?? null;
    out.fill(0, place, place + table.limit + 1);
    if (name === null) missed += 1;
    else out[place + (learns ? table.add(name) : table.peek(name))] = 1;
  }
  return missed;
}
