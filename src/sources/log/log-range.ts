import { decodeRecords } from '../record-batch/record-columns.ts';
import { PartitionCursor } from './partition-cursor.ts';
import { deletedBelow, isBrokerDirectory, partitionDirectory, segmentBases } from './partition-directory.ts';
import { TransactionScan } from './transaction-scan.ts';

/** Offsets that a partition holds: from the first to before the end. */
export interface LogRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Little more than a header: the bodies between are not read at all. */
const windowBytes = 4096;

/** A cursor over headers, from `offset` on. */
export function headerCursor(
  dir: string,
  topic: string,
  partition: number,
  offset: number,
  settleMs: number,
): PartitionCursor {
  const directory = partitionDirectory(dir, topic, partition);
  const mayHaveGaps = isBrokerDirectory(dir);
  return new PartitionCursor(offset, { directory, windowBytes, isHeadersOnly: true, mayHaveGaps, settleMs });
}

/** First offset of a partition, 0 where it holds nothing. */
export function startOffsetOf(dir: string, topic: string, partition: number): number {
  const first = segmentBases(partitionDirectory(dir, topic, partition))[0] ?? 0;
  return Math.max(first, deletedBelow(dir, topic, partition));
}

/**
 * The offsets that a partition holds now; 0 to 0 where it has no folder or no segment.
 * @throws SourceError `source.corrupt` where the last segment is damaged.
 */
export function logRange(dir: string, topic: string, partition: number): LogRange {
  const last = segmentBases(partitionDirectory(dir, topic, partition)).at(-1) ?? 0;
  const startOffset = startOffsetOf(dir, topic, partition);
  return { startOffset, endOffset: Math.max(startOffset, scanFrom(dir, topic, partition, last).seenOffset) };
}

/** First offset that cannot be read yet: that of the oldest open transaction, else the end of the log. */
export function stableOffsetOf(dir: string, topic: string, partition: number): number {
  const { startOffset, endOffset } = logRange(dir, topic, partition);
  // Only a broker's log can hold transactions, and one may be open since any segment.
  if (!isBrokerDirectory(dir)) return endOffset;
  return Math.max(startOffset, scanFrom(dir, topic, partition, startOffset).stableOffset);
}

function scanFrom(dir: string, topic: string, partition: number, offset: number): TransactionScan {
  // Waits for nothing: damage that is taken for the end of the log would put good positions out of range.
  const scan = new TransactionScan(headerCursor(dir, topic, partition, offset, 0));
  try {
    scan.advance(Infinity);
    return scan;
  } finally {
    scan.close();
  }
}

/**
 * First offset whose record has `timeMs` or later, the end where none has. A batch is passed over by its newest
 * time, so records out of time order are found as Kafka finds them.
 */
export function offsetAtTime(dir: string, topic: string, partition: number, timeMs: number): number {
  const cursor = new PartitionCursor(startOffsetOf(dir, topic, partition), {
    directory: partitionDirectory(dir, topic, partition),
    windowBytes: 1 << 20,
    isHeadersOnly: false,
    mayHaveGaps: isBrokerDirectory(dir),
    settleMs: 0,
  });
  try {
    for (let found = cursor.next(); found !== null; found = cursor.next()) {
      const { header, bytes, start } = found;
      if (header.maxTimestampMs < timeMs || header.isControl) continue;
      const { offsets, timestampsMs } = decodeRecords(bytes, start, header);
      const index = timestampsMs.findIndex((timestampMs) => timestampMs >= timeMs);
      if (index >= 0) return offsets[index] ?? header.baseOffset;
    }
    return cursor.nextOffset;
  } finally {
    cursor.close();
  }
}
