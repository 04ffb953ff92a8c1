import { fdatasyncSync, ftruncateSync } from 'node:fs';
import { maxBatchBytes } from '../record-batch/compression.ts';
import { corrupt } from '../record-batch/corrupt.ts';
import { findBatch } from './batch-search.ts';
import { SegmentReader } from './segment-reader.ts';

export interface RecoveredSegment {
  readonly sizeBytes: number;
  readonly nextOffset: number;
  /** Bytes of a torn tail that were cut off. */
  readonly cutBytes: number;
}

/**
 * Finds where the last segment of a log ends and cuts off what a writer that died left behind its last whole batch.
 * Nobody was ever told that it was written.
 * @param fd the file, open for writing.
 * @throws SourceError `source.corrupt` where a good batch lies behind a bad one: that is damage, not a torn tail.
 */
export function recoverSegment(file: string, fd: number, baseOffset: number): RecoveredSegment {
  const segment = new SegmentReader(file, { windowBytes: 1 << 20, maxBatchBytes, isHeadersOnly: false });
  try {
    let nextOffset = baseOffset;
    let at = 0;
    for (let found = segment.next(); typeof found !== 'string'; found = segment.next()) {
      if (found.header.baseOffset !== nextOffset) {
        throw corrupt(`${file}: offset ${found.header.baseOffset} at byte ${at} where ${nextOffset} belongs`, { file });
      }
      nextOffset = found.header.nextOffset;
      at = segment.at;
    }
    const cutBytes = segment.restBytes;
    if (cutBytes === 0) return { sizeBytes: at, nextOffset, cutBytes };
    const behind = findBatch(segment.fd, at + 1, at + cutBytes, nextOffset, maxBatchBytes);
    if (behind !== null) {
      throw corrupt(
        `${file}: a damaged batch at byte ${at} (offset ${nextOffset}) with a good one behind it at byte ${behind}: ` +
          'not a torn tail; restore the file from a copy, or cut it there by hand',
        { file, byte: at, offset: nextOffset },
      );
    }
    ftruncateSync(fd, at);
    fdatasyncSync(fd);
    return { sizeBytes: at, nextOffset, cutBytes };
  } finally {
    segment.close();
  }
}
