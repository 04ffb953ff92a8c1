import type { RecordBlock } from '../records.ts';

/** Where a run of values stands in its stream. */
export interface ValuePlace {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the first value; the others follow without a gap. */
  readonly firstOffset: number;
  /** Which history the offsets belong to; 0 where there is only one. */
  readonly epoch: number;
  /** First offset that is not there yet, -1 where unknown. */
  readonly endOffset: number;
  /** Timestamp of every record, Unix milliseconds. */
  readonly nowMs: number;
}

/**
 * Makes values without keys and headers one block, for a source of your own: at most `maxBlockRecords` values.
 * @param take takes credit for the block's bytes and returns its release: `(bytes) => credit.take(bytes)`.
 */
export function valueBlock(
  values: readonly Buffer[],
  { firstOffset, nowMs, ...place }: ValuePlace,
  take: (bytes: number) => () => void,
): RecordBlock {
  const recordCount = values.length;
  const bytes = Buffer.concat(values);
  const valueStarts = new Int32Array(recordCount);
  const valueLengths = new Int32Array(recordCount);
  let start = 0;
  for (const [index, { length }] of values.entries()) {
    valueStarts[index] = start;
    valueLengths[index] = length;
    start += length;
  }
  return {
    ...place,
    recordCount,
    bytes,
    valueStarts,
    valueLengths,
    keyStarts: new Int32Array(recordCount),
    keyLengths: new Int32Array(recordCount).fill(-1),
    offsets: Float64Array.from({ length: recordCount }, (_, index) => firstOffset + index),
    timestampsMs: new Float64Array(recordCount).fill(nowMs),
    headers: () => [],
    nextOffset: firstOffset + recordCount,
    isScored: true,
    barrier: null,
    isEndOfInput: false,
    release: take(bytes.length),
  };
}
