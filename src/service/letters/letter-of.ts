import type { DeadLetter } from '../../dead-letters/dead-letters.ts';
import type { RecordBlock, RejectReason } from '../../records.ts';

/** The dead letter of a record; its bytes are those of the block. */
export function letterOf(block: RecordBlock, recordIndex: number, reason: RejectReason, detail: string): DeadLetter {
  const { topic, partition } = block;
  return {
    reason,
    detail,
    topic,
    partition,
    offset: block.offsets[recordIndex]!,
    timestampMs: block.timestampsMs[recordIndex]!,
    key: bytesOf(block, block.keyStarts[recordIndex]!, block.keyLengths[recordIndex]!),
    value: bytesOf(block, block.valueStarts[recordIndex]!, block.valueLengths[recordIndex]!),
    headers: block.headers(recordIndex),
  };
}

/** Null where the length is -1. */
export function bytesOf(block: RecordBlock, start: number, length: number): Buffer | null {
  return length < 0 ? null : block.bytes.subarray(start, start + length);
}
