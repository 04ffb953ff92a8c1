import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import type { DecodedColumns, FieldPlan, RecordBlock } from '../records.ts';
import { ConfigError, messageOf } from '../errors.ts';
import { decodeRows, putField } from './decode-rows.ts';
import type { RecordFault, Reject, RowCodec } from './row-codec.ts';
import { valueFault } from './row-codec.ts';
import type { PutValue, RowSink } from './row-sink.ts';
import { SinkPool } from './sink-pool.ts';

/** What a CSV codec reads, and what one record may cost. */
export interface CsvCodecOptions {
  readonly plan: FieldPlan;
  /** Names of the cells of every record, in order. */
  readonly columns: readonly string[];
  readonly limits: { readonly valueBytes: number };
}

/** Cells of one record, or what is wrong with it. */
type Cells = readonly string[] | string;

type PutCell = PutValue<string | null>;

interface WantedCell {
  readonly name: string;
  readonly cellIndex: number;
  readonly column: number;
  readonly put: PutCell;
}

const putNumber: PutCell = (sink, column, cell) => sink.putNumberText(column, cell);
const putText: PutCell = (sink, column, cell) => sink.putText(column, cell);
const putTime: PutCell = (sink, column, cell) => {
  const isNumber = cell !== null && /^\s*-?\d+(?:\.\d+)?\s*$/.test(cell);
  return sink.putTime(column, isNumber ? Number(cell) : cell, 'milliseconds');
};

/**
 * Reads one line of delimited text per record: the cells that the source parsed already, else the value.
 * An empty cell and `NA` are missing.
 *
 * @throws ConfigError when the plan wants a field that is not among the columns.
 */
export function csvCodec(options: CsvCodecOptions): RowCodec {
  const { plan, columns, limits } = options;
  const wanted = wantedCells(plan, columns);

  const sinks = new SinkPool(plan);

  function readCells(cells: Cells | undefined, sink: RowSink): RecordFault | null {
    if (typeof cells !== 'object') return { reason: 'csv.invalid', detail: cells ?? 'no cells' };
    if (cells.length !== columns.length) {
      return { reason: 'csv.invalid', detail: `${cells.length} cells, expected ${columns.length}` };
    }
    for (const field of wanted) {
      const cell = cells[field.cellIndex]!;
      const fault = putField(sink, field, cell === '' || cell === 'NA' ? null : cell);
      if (fault !== null) return fault;
    }
    return null;
  }

  return {
    plan,
    prepare: () => null,
    decode(block: RecordBlock, reject: Reject): DecodedColumns {
      const cells = block.cells ?? cellsOfValues(block, limits.valueBytes);
      return decodeRows(block, sinks, limits.valueBytes, (index, sink) => readCells(cells[index], sink), reject);
    },
    recordAt(block, recordIndex) {
      const cells = (block.cells ?? cellsOfValues(block, limits.valueBytes))[recordIndex];
      if (typeof cells !== 'object' || cells.length !== columns.length) return null;
      return Object.fromEntries(columns.map((name, column) => [name, cells[column]]));
    },
  };
}

function wantedCells(plan: FieldPlan, columns: readonly string[]): readonly WantedCell[] {
  const cells = (fields: readonly string[], put: PutCell): WantedCell[] =>
    fields.map((name, column) => {
      const cellIndex = columns.indexOf(name);
      if (cellIndex < 0) {
        throw new ConfigError('config.invalid', `there is no column "${name}"; there are: ${columns.join(', ')}`);
      }
      return { name, cellIndex, column, put };
    });
  return [...cells(plan.numbers, putNumber), ...cells(plan.texts, putText), ...cells(plan.times, putTime)];
}

/**
 * The cells of every value that is not at fault. A parser costs more to build than a line to parse, so all values that
 * are surely one line each are parsed as one text; the rest (quotes, line breaks) one by one.
 */
function cellsOfValues(block: RecordBlock, valueBytes: number): readonly (Cells | undefined)[] {
  const cells = new Array<Cells | undefined>(block.recordCount);
  const lineIndexes: number[] = [];
  const lines: Buffer[] = [];
  for (let index = 0; index < block.recordCount; index += 1) {
    const length = block.valueLengths[index]!;
    if (valueFault(length, valueBytes) !== null) continue;
    const value = block.bytes.subarray(block.valueStarts[index], block.valueStarts[index]! + length);
    if (isPlainLine(value)) {
      lineIndexes.push(index);
      lines.push(value, lineBreak);
    } else cells[index] = cellsOfValue(value);
  }
  const parsed: readonly string[][] = parse(Buffer.concat(lines), { relax_column_count: true, record_delimiter: '\n' });
  for (const [line, index] of lineIndexes.entries()) cells[index] = parsed[line]!;
  return cells;
}

const lineBreak = Buffer.from('\n');
const byteOrderMark = 0xef;

/** True where a value is one record whatever surrounds it: no quote, no line break, no byte order mark, valid text. */
function isPlainLine(value: Buffer): boolean {
  return (
    !value.includes(0x22) &&
    !value.includes(0x0a) &&
    !value.includes(0x0d) &&
    value[0] !== byteOrderMark &&
    isUtf8(value)
  );
}

/** The cells of one value, or what is wrong with it. */
function cellsOfValue(value: Buffer): Cells {
  if (!isUtf8(value)) return 'not valid UTF-8';
  try {
    const records: readonly string[][] = parse(value, { bom: true, relax_column_count: true });
    return records.length === 1 ? records[0]! : `${records.length} records in one value, expected 1`;
  } catch (error) {
    return messageOf(error);
  }
}
