import { ConfigError, SourceError } from '../../errors.ts';
import { csvFiles, csvText } from './csv-files.ts';
import { csvRecords } from './csv-records.ts';
import {
  cellBoolean,
  cellNumber,
  cellTime,
  checkedHeader,
  ColumnTypes,
  isMissing,
  type CsvColumn,
  type CsvType,
} from './csv-types.ts';

/** A cell by the type of its column: times are Unix milliseconds, null is missing. */
export type CsvValue = number | boolean | string | null;

/** Whole CSV files in memory. */
export interface CsvTable {
  readonly columns: readonly CsvColumn[];
  readonly rows: readonly (readonly CsvValue[])[];
}

/** Bytes of one record at the most. */
const maxRecordBytes = 1 << 20;

/**
 * Reads all rows of a file or of a glob's files in name order, each cell as the narrowest type that fits its whole column.
 * `key` is the setting to name in errors.
 * @throws ConfigError where a file is missing or has another header; SourceError `source.corrupt` where a record does
 * not parse or has not one cell for each column.
 */
export async function readCsvTable(pattern: string, key: string): Promise<CsvTable> {
  const rows: (readonly string[])[] = [];
  let header: readonly string[] | null = null;
  for (const file of await csvFiles(pattern, key)) {
    header = await readFile(file, key, header, rows);
  }
  const types = new ColumnTypes(header ?? []);
  for (const cells of rows) types.learn(cells);
  const columns = types.columns();
  const readers = columns.map((column) => valueOf[column.type]);
  return {
    columns,
    rows: rows.map((cells) => cells.map((cell, index) => (isMissing(cell) ? null : (readers[index]?.(cell) ?? null)))),
  };
}

const valueOf: Readonly<Record<CsvType, (cell: string) => CsvValue>> = {
  number: cellNumber,
  boolean: cellBoolean,
  time: cellTime,
  text: (cell) => cell,
};

async function readFile(
  file: string,
  key: string,
  wanted: readonly string[] | null,
  rows: (readonly string[])[],
): Promise<readonly string[]> {
  let header: readonly string[] | null = null;
  let rowNumber = 0;
  for await (const records of csvRecords(csvText(file), maxRecordBytes)) {
    for (const { cells } of records) {
      if (header === null) {
        header = checkedHeader(file, cells);
        checkSame(file, key, header, wanted ?? header);
        continue;
      }
      rowNumber++;
      if (cells.length !== header.length) {
        const found =
          cells.length === 0 ? 'is not CSV' : `has ${cells.length} cells, but there are ${header.length} columns`;
        throw new SourceError('source.corrupt', `${file}: row ${rowNumber} ${found}; repair the row or take it out`, {
          context: { file, row: rowNumber },
        });
      }
      rows.push(cells);
    }
  }
  return header ?? checkedHeader(file, []);
}

function checkSame(file: string, key: string, header: readonly string[], wanted: readonly string[]): void {
  if (header.join('\n') === wanted.join('\n')) return;
  throw new ConfigError(
    'config.invalid',
    `${key}: ${file} has the columns ${header.join(', ')}, but the files before it have ${wanted.join(', ')}; give all of them one header`,
    { context: { key, file } },
  );
}
