import type { DecodedColumns, FieldPlan } from '../records.ts';
import { valueAt, wantedPaths, type WantedPath } from './json-paths.ts';
import { largestNumber, quoted, RowSink } from './row-sink.ts';

/** A field that a parsed JSON object is asked for. */
export interface RequestField {
  readonly name: string;
  /** True where a row cannot do without it; else null and absence are missing, as in a record. */
  readonly isRequired: boolean;
}

/** What is wrong with a field of a row. */
export interface FieldFault {
  /** Index of the row. */
  readonly row: number;
  /** '' where the row itself is wrong. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** Parsed rows: either all of them are good, or `faults` says why not. */
export interface JsonRows {
  readonly columns: DecodedColumns;
  /** At most `maxFaults`. */
  readonly faults: readonly FieldFault[];
  /** Wanted fields that are missing, by row. */
  readonly missing: readonly (readonly string[])[];
}

const maxFaults = 20;
const expectedBy = {
  numbers: `a number within ±${largestNumber}, true or false`,
  texts: 'text, a number, true or false',
} as const;

type Wanted = WantedPath & { readonly isWanted: boolean; readonly isRequired: boolean; readonly expected: string };

/**
 * Makes columns of JSON objects that are parsed already, by the rules of the JSON codec, and says of every field what is wrong
 * with it. Fields of the plan that are not asked for are missing in every row; others in an object are not looked at.
 */
export function jsonRows(plan: FieldPlan, fields: readonly RequestField[]): (rows: readonly unknown[]) => JsonRows {
  const asked = new Map(fields.map((field) => [field.name, field]));
  const { numbers, texts } = wantedPaths(plan);
  const describe = (kind: keyof typeof expectedBy) => (path: WantedPath) => ({
    ...path,
    isWanted: asked.has(path.name),
    isRequired: asked.get(path.name)?.isRequired === true,
    expected: expectedBy[kind],
  });
  const sinkPlan = { ...plan, times: [] };
  const wanted = [...numbers.map(describe('numbers')), ...texts.map(describe('texts'))];
  return (rows) => {
    const sink = new RowSink(sinkPlan, rows.length);
    const faults: FieldFault[] = [];
    const missing = rows.map((row, index) => {
      const lacking: string[] = [];
      readRow(row, index, { sink, wanted, faults, lacking });
      sink.commit(index);
      return lacking;
    });
    return { columns: sink.columns(), faults: faults.slice(0, maxFaults), missing };
  };
}

interface RowReading {
  readonly sink: RowSink;
  readonly wanted: readonly Wanted[];
  readonly faults: FieldFault[];
  readonly lacking: string[];
}

function readRow(row: unknown, index: number, { sink, wanted, faults, lacking }: RowReading): void {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    faults.push({ row: index, field: '', expected: 'an object of fields by name', found: quoted(row) });
    return;
  }
  for (const path of wanted) {
    const { isWanted, isRequired, expected } = path;
    const value = isWanted ? (valueAt(row, path.segments) ?? null) : null;
    const isMissing = value === null || (isRequired && value === '');
    if (isWanted && isMissing && !lacking.includes(path.name)) lacking.push(path.name);
    if (isRequired && isMissing) faults.push({ row: index, field: path.name, expected, found: 'nothing' });
    else if (path.put(sink, path.column, value) !== null)
      faults.push({ row: index, field: path.name, expected, found: quoted(value) });
  }
}
