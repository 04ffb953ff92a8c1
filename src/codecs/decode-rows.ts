import type { DecodedColumns, RecordBlock } from '../records.ts';
import { valueFault, type RecordFault, type Reject } from './row-codec.ts';
import { quoted, type PutValue, type RowSink } from './row-sink.ts';
import type { SinkPool } from './sink-pool.ts';

/** Puts the wanted fields of one record, whose value is within the limits, into the current row, or tells what is wrong with it. */
export type ReadRecord = (recordIndex: number, sink: RowSink) => RecordFault | null;

/** Decodes a block record by record: a row for each good one. */
export function decodeRows(
  block: RecordBlock,
  pool: SinkPool,
  valueBytes: number,
  read: ReadRecord,
  reject: Reject,
): DecodedColumns {
  const sink = pool.take(block.recordCount);
  for (let index = 0; index < block.recordCount; index += 1) {
    const fault = valueFault(block.valueLengths[index]!, valueBytes) ?? read(index, sink);
    if (fault === null) sink.commit(index);
    else reject(index, fault.reason, fault.detail);
  }
  return pool.lend(sink);
}

/** Puts one value; names field and value where it does not fit. */
export function putField<Value>(
  sink: RowSink,
  { name, column, put }: { readonly name: string; readonly column: number; readonly put: PutValue<Value> },
  value: Value,
): RecordFault | null {
  const reason = put(sink, column, value);
  return reason === null ? null : { reason, detail: `${name}: ${quoted(value)}` };
}
