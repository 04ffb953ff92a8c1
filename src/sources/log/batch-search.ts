import { readSync } from 'node:fs';
import { hasGoodCrc, headerBytes, readHeader } from '../record-batch/batch-header.ts';

const windowBytes = 1 << 20;

/**
 * Looks for a good batch anywhere in a file's bytes from `from` to `end`: whether what lies before it is a torn tail
 * (nothing good behind) or damage in the middle of a log.
 * @returns where it begins, null where there is none.
 */
export function findBatch(
  fd: number,
  from: number,
  end: number,
  minOffset: number,
  maxBatchBytes: number,
): number | null {
  for (let windowAt = from; windowAt + headerBytes <= end; windowAt += windowBytes) {
    // Windows overlap by a header, so that none is cut.
    const window = readRange(fd, windowAt, Math.min(end, windowAt + windowBytes + headerBytes - 1));
    for (let start = 0; start + headerBytes <= window.length; start += 1) {
      const header = readHeader(window, start, window.length, Math.min(maxBatchBytes, end - windowAt - start));
      if (typeof header === 'string' || header.baseOffset < minOffset || header.recordCount < 0) continue;
      const batch = readRange(fd, windowAt + start, windowAt + start + header.sizeBytes);
      if (batch.length === header.sizeBytes && hasGoodCrc(batch, 0, batch.length)) return windowAt + start;
    }
  }
  return null;
}

function readRange(fd: number, from: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - from);
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from));
}
