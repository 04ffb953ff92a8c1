import { ConfigError } from '../../errors.ts';
import { csvText } from './csv-files.ts';
import { csvRecords } from './csv-records.ts';

export type CsvType = 'number' | 'boolean' | 'time' | 'text';

/** One column of a CSV file. */
export interface CsvColumn {
  readonly name: string;
  readonly type: CsvType;
}

const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;
const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/;
const isBare = /^\d{4}-\d\d-\d\d$/;

/** True for the two ways in which a cell says that there is no value. */
export function isMissing(cell: string): boolean {
  return cell === '' || cell === 'NA';
}

/** The number of a cell, NaN where it is none or not finite. */
export function cellNumber(cell: string): number {
  if (cell.trim() === '') return NaN;
  const value = Number(cell);
  return Number.isFinite(value) ? value : NaN;
}

/** True or false of a cell (any case), null where it is neither. */
export function cellBoolean(cell: string): boolean | null {
  const word = cell.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : null;
}

/** Unix milliseconds of an ISO 8601 cell (UTC where it names no zone) or of a number, NaN where it is neither. */
export function cellTime(cell: string): number {
  if (!isoTime.test(cell)) return cellNumber(cell);
  const text = cell.replace(' ', 'T').replace(',', '.');
  return Date.parse(hasZone.test(text) || isBare.test(text) ? text : `${text}Z`);
}

function fits(type: CsvType, cell: string): boolean {
  switch (type) {
    case 'number':
      return !Number.isNaN(cellNumber(cell));
    case 'boolean':
      return cellBoolean(cell) !== null;
    case 'time':
      return isoTime.test(cell) && !Number.isNaN(cellTime(cell));
    case 'text':
      return true;
  }
}

/** Narrows down the types of columns, record by record. */
export class ColumnTypes {
  readonly #names: readonly string[];
  readonly #candidates: CsvType[][];
  readonly #isSeen: boolean[];

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#candidates = names.map(() => ['number', 'boolean', 'time', 'text']);
    this.#isSeen = names.map(() => false);
  }

  learn(cells: readonly string[]): void {
    for (const [index, cell] of cells.entries()) {
      const candidates = this.#candidates[index];
      if (candidates === undefined || isMissing(cell)) continue;
      this.#isSeen[index] = true;
      while (candidates[0] !== undefined && !fits(candidates[0], cell)) candidates.shift();
    }
  }

  /** The narrowest type that fits all cells seen; text where a column had no value at all. */
  columns(): readonly CsvColumn[] {
    return this.#names.map((name, index) => ({
      name,
      type: this.#isSeen[index] === true ? (this.#candidates[index]?.[0] ?? 'text') : 'text',
    }));
  }
}

/** Bytes of a header or sampled record at the most. */
const sampleRecordBytes = 1 << 20;

/**
 * Names and types of a CSV file's columns, from its header and first `sampleRows` records. A missing value (empty or
 * `NA`) fits any type; a column without any value is text.
 * @throws ConfigError `config.invalid` where the file has no header.
 */
export async function inferColumns(file: string, sampleRows = 1000): Promise<readonly CsvColumn[]> {
  let types: ColumnTypes | null = null;
  let rowCount = 0;
  for await (const records of csvRecords(csvText(file), sampleRecordBytes)) {
    for (const { cells } of records) {
      if (types === null) {
        types = new ColumnTypes(checkedHeader(file, cells));
        continue;
      }
      types.learn(cells);
      if (++rowCount >= sampleRows) return types.columns();
    }
  }
  return types?.columns() ?? checkedHeader(file, []).map((name) => ({ name, type: 'text' }));
}

/**
 * A header fit to name columns by.
 * @throws ConfigError `config.invalid` where there is none, or names are empty or come twice.
 */
export function checkedHeader(file: string, cells: readonly string[]): readonly string[] {
  const twice = cells.find((name, index) => name === '' || cells.indexOf(name) !== index);
  if (cells.length === 0 || twice !== undefined) {
    const found = cells.length === 0 ? 'has none' : twice === '' ? 'has an empty name' : `has "${twice ?? ''}" twice`;
    throw new ConfigError(
      'config.invalid',
      `${file}: the first line must name each column once, but it ${found}; add a header line`,
      { context: { file } },
    );
  }
  return cells;
}
