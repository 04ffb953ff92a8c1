import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import type { DecodedColumns, FieldPlan, RecordBlock, RejectReason } from '../records.ts';
import { ConfigError, messageOf } from '../errors.ts';
import type { Reject, RowCodec } from './row-codec.ts';
import { valueFault } from './row-codec.ts';
import { quoted, RowSink } from './row-sink.ts';

export interface CsvCodecOptions {
  readonly plan: FieldPlan;
  /** Names of the cells of every record, in order. */
  readonly columns: readonly string[];
  readonly limits: { readonly valueBytes: number };
}

type PutCell = (sink: RowSink, column: number, cell: string | null) => RejectReason | null;

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

  function decodeRecord(block: RecordBlock, recordIndex: number, sink: RowSink, reject: Reject): void {
    const length = block.valueLengths[recordIndex]!;
    const fault = valueFault(length, limits.valueBytes);
    if (fault !== null) {
      reject(recordIndex, fault.reason, fault.detail);
      return;
    }
    const start = block.valueStarts[recordIndex]!;
    const cells = block.cells?.[recordIndex] ?? cellsOf(block.bytes.subarray(start, start + length));
    if (typeof cells === 'string' || cells.length !== columns.length) {
      const detail = typeof cells === 'string' ? cells : `${cells.length} cells, expected ${columns.length}`;
      reject(recordIndex, 'csv.invalid', detail);
      return;
    }
    for (const { name, cellIndex, column, put } of wanted) {
      const cell = cells[cellIndex]!;
      const reason = put(sink, column, cell === '' || cell === 'NA' ? null : cell);
      if (reason !== null) {
        reject(recordIndex, reason, `${name}: ${quoted(cell)}`);
        return;
      }
    }
    sink.commit(recordIndex);
  }

  return {
    plan,
    prepare: () => null,
    decode(block: RecordBlock, reject: Reject): DecodedColumns {
      const sink = new RowSink(plan, block.recordCount);
      for (let index = 0; index < block.recordCount; index += 1) decodeRecord(block, index, sink, reject);
      return sink.columns();
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

/** The cells of one line, or what is wrong with it. */
function cellsOf(value: Buffer): readonly string[] | string {
  if (!isUtf8(value)) return 'not valid UTF-8';
  try {
    const records: readonly string[][] = parse(value, { bom: true, relax_column_count: true });
    return records.length === 1 ? records[0]! : `${records.length} records in one value, expected 1`;
  } catch (error) {
    return messageOf(error);
  }
}
