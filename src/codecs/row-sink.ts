import type { DecodedColumns, FieldPlan, RejectReason } from '../records.ts';
import { isoTimeMs } from './iso-time.ts';

/** What a number on the wire counts, where a wanted field is a time. */
export type TimeUnit = 'milliseconds' | 'microseconds' | 'days';

/** Beyond this the square of a number overflows, and with it every running variance for ever. */
export const largestNumber = 1e150;
/** The range of JavaScript's Date, ms. */
export const largestTimeMs = 8.64e15;
export const msPerDay = 86_400_000;

/** Puts a value of the current row into a column, one of the `put…` of a sink; says what is wrong with it. */
export type PutValue<Value> = (sink: RowSink, column: number, value: Value) => RejectReason | null;

const notFiniteWords = /^\s*[+-]?(nan|inf|infinity)\s*$/i;
/** Each character has one way to match: no quadratic search on a long run of digits. */
const decimal = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/**
 * Collects the wanted fields of one block, row by row: `put…` writes into the current row and says what is wrong with
 * the value, `commit` keeps the row. A row that is not committed is overwritten by the next.
 */
export class RowSink {
  /** Most rows. */
  readonly capacity: number;
  /** Open to generated code, which writes into row `rowCount` as `put…` would: [column × capacity + row]. */
  readonly numbers: Float64Array;
  readonly texts: readonly (string | null)[][];
  readonly times: Float64Array;
  readonly #plan: FieldPlan;
  readonly #recordIndexes: Int32Array;
  #rowCount = 0;

  constructor(plan: FieldPlan, capacity: number) {
    this.capacity = capacity;
    this.#plan = plan;
    this.numbers = new Float64Array(plan.numbers.length * capacity);
    this.texts = plan.texts.map(() => new Array<string | null>(capacity));
    this.times = new Float64Array(plan.times.length * capacity);
    this.#recordIndexes = new Int32Array(capacity);
  }

  /** Rows committed so far; the index of the current row. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Takes a number, a boolean as 0 or 1, and null as missing. */
  putNumber(column: number, value: unknown): RejectReason | null {
    let number: number;
    if (value === null || value === undefined) number = Number.NaN;
    else if (typeof value === 'boolean') number = value ? 1 : 0;
    else if (typeof value !== 'number') {
      return typeof value === 'string' && notFiniteWords.test(value) ? 'field.notFinite' : 'field.type';
    } else if (Math.abs(value) <= largestNumber) number = value;
    else return 'field.notFinite';
    this.numbers[column * this.capacity + this.#rowCount] = number;
    return null;
  }

  /** Takes the text of a decimal number, `true` or `false` in any case; null is missing. */
  putNumberText(column: number, text: string | null): RejectReason | null {
    if (text === null || decimal.test(text)) return this.putNumber(column, text === null ? null : Number(text));
    const word = text.trim().toLowerCase();
    return this.putNumber(column, word === 'true' ? true : word === 'false' ? false : text);
  }

  /** Takes text, numbers and booleans by their shortest decimal form, and null as missing. */
  putText(column: number, value: unknown): RejectReason | null {
    let text: string | null;
    if (value === null || value === undefined) text = null;
    else if (typeof value === 'string') text = value;
    else if (typeof value === 'number') {
      if (!Number.isFinite(value)) return 'field.notFinite';
      text = String(value);
    } else if (typeof value === 'boolean') text = String(value);
    else return 'field.type';
    this.texts[column]![this.#rowCount] = text;
    return null;
  }

  /** Takes a number in `unit`, ISO 8601 text, and null as missing; keeps whole milliseconds, rounded down. */
  putTime(column: number, value: unknown, unit: TimeUnit): RejectReason | null {
    let timeMs: number;
    if (value === null || value === undefined) timeMs = Number.NaN;
    else {
      if (typeof value === 'string') timeMs = isoTimeMs(value);
      else if (typeof value !== 'number') return 'field.type';
      else if (!Number.isFinite(value)) return 'field.notFinite';
      else timeMs = toMilliseconds(value, unit);
      if (!(Math.abs(timeMs) <= largestTimeMs)) return 'field.type';
    }
    this.times[column * this.capacity + this.#rowCount] = timeMs;
    return null;
  }

  commit(recordIndex: number): void {
    this.#recordIndexes[this.#rowCount] = recordIndex;
    this.#rowCount += 1;
  }

  /** The committed rows, as views: valid until `clear`. */
  columns(): DecodedColumns {
    const rowCount = this.#rowCount;
    const cut = (columns: Float64Array, names: readonly string[]): Float64Array[] =>
      names.map((_, column) => columns.subarray(column * this.capacity, column * this.capacity + rowCount));
    return {
      rowCount,
      recordIndexes: this.#recordIndexes.subarray(0, rowCount),
      numbers: cut(this.numbers, this.#plan.numbers),
      texts: this.texts.map((column) => (rowCount === this.capacity ? column : column.slice(0, rowCount))),
      times: cut(this.times, this.#plan.times),
    };
  }

  /** Begins anew with no rows. Texts are let go: a few long ones would hold much memory. */
  clear(): void {
    this.#rowCount = 0;
    for (const column of this.texts) column.fill(null);
  }
}

function toMilliseconds(value: number, unit: TimeUnit): number {
  switch (unit) {
    case 'milliseconds':
      return Math.floor(value);
    case 'microseconds':
      return Math.floor(value / 1000);
    case 'days':
      return value * msPerDay;
  }
}

/** A value as a dead letter quotes it: short, on one line. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  return typeof value === 'object' && value !== null ? 'no single value' : String(value);
}
