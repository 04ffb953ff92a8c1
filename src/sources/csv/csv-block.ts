import type { RecordBlock } from '../../records.ts';
import type { CsvRecord } from './csv-records.ts';

/** Where a run of records stands in its stream. */
export interface CsvBlockPlace {
  readonly topic: string;
  readonly firstOffset: number;
  readonly pass: number;
  readonly endOffset: number;
  readonly nowMs: number;
}

/** Makes records one block: values are the records' text, keys are null. */
export function csvBlock(
  records: readonly CsvRecord[],
  place: CsvBlockPlace,
  take: (bytes: number) => () => void,
): RecordBlock {
  const recordCount = records.length;
  const bytes = Buffer.concat(records.map((record) => record.bytes));
  const valueStarts = new Int32Array(recordCount);
  const valueLengths = new Int32Array(recordCount);
  let start = 0;
  for (const [index, record] of records.entries()) {
    valueStarts[index] = start;
    valueLengths[index] = record.bytes.length;
    start += record.bytes.length;
  }
  return {
    topic: place.topic,
    partition: 0,
    recordCount,
    bytes,
    valueStarts,
    valueLengths,
    keyStarts: new Int32Array(recordCount),
    keyLengths: new Int32Array(recordCount).fill(-1),
    offsets: Float64Array.from({ length: recordCount }, (_, index) => place.firstOffset + index),
    timestampsMs: new Float64Array(recordCount).fill(place.nowMs),
    headers: () => [],
    cells: records.map((record) => record.cells),
    nextOffset: place.firstOffset + recordCount,
    epoch: place.pass,
    isScored: place.pass === 0,
    endOffset: place.endOffset,
    barrier: null,
    isEndOfInput: false,
    release: take(bytes.length),
  };
}
