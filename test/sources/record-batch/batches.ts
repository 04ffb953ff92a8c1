import { crc32c } from '@node-rs/crc32';
import { fieldAt, hasGoodCrc, readHeader, type BatchHeader } from '../../../src/sources/record-batch/batch-header.ts';
import { decodeRecords } from '../../../src/sources/record-batch/record-columns.ts';
import { encodeBatch, stampBatch, type LogRecord } from '../../../src/sources/record-batch/encode-batch.ts';
import { readHeaders } from '../../../src/sources/record-batch/record-headers.ts';
import { writeInt64 } from '../../../src/sources/record-batch/int64.ts';

export const noLimit = 2 ** 31;

export function textRecord(value: string, timestampMs = 1_700_000_000_000): LogRecord {
  return { key: null, value: Buffer.from(value), timestampMs };
}

/** The header of a whole good batch. */
export function goodHeader(bytes: Buffer, start = 0): BatchHeader {
  const header = readHeader(bytes, start, bytes.length, noLimit);
  if (typeof header === 'string') throw new Error(header);
  if (!hasGoodCrc(bytes, start, header.sizeBytes)) throw new Error('bad CRC');
  return header;
}

/** The records of one batch as objects, the way they were given to `encodeBatch`. */
export function recordsOf(bytes: Buffer, start = 0): Required<LogRecord>[] {
  const columns = decodeRecords(bytes, start, goodHeader(bytes, start));
  const range = (from: number, length: number): Buffer | null =>
    length < 0 ? null : Buffer.from(columns.bytes.subarray(from, from + length));
  return Array.from({ length: columns.recordCount }, (_, index) => ({
    key: range(columns.keyStarts[index]!, columns.keyLengths[index]!),
    value: range(columns.valueStarts[index]!, columns.valueLengths[index]!),
    timestampMs: columns.timestampsMs[index]!,
    headers: readHeaders(columns.bytes, columns.headerStarts[index]!, columns.headerEnds[index]!).map(
      ({ key, value }) => ({ key, value: value === null ? null : Buffer.from(value) }),
    ),
  }));
}

/** Rewrites the CRC after a change of what it covers. */
export function recrc(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(fieldAt.attributes)), fieldAt.crc);
  return batch;
}

/** Makes a batch part of the transaction of `producerId`. */
export function inTransaction(batch: Buffer, producerId: number): Buffer {
  batch.writeInt16BE(batch.readInt16BE(fieldAt.attributes) | 16, fieldAt.attributes);
  writeInt64(batch, fieldAt.producerId, producerId);
  batch.writeInt16BE(0, fieldAt.producerEpoch);
  return recrc(batch);
}

/** The control batch that ends a transaction. */
export function transactionMarker(producerId: number, end: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, end === 'commit' ? 1 : 0]);
  const batch = encodeBatch([{ key, value: Buffer.alloc(6), timestampMs: 1_700_000_000_000 }]);
  batch.writeInt16BE(32, fieldAt.attributes);
  return inTransaction(batch, producerId);
}

/** Batches one after the other from `baseOffset` on, as a segment holds them. */
export function segmentOf(batches: readonly Buffer[], baseOffset = 0, epoch = 0): Buffer {
  let next = baseOffset;
  for (const batch of batches) {
    stampBatch(batch, next, epoch);
    next += batch.readInt32BE(fieldAt.lastOffsetDelta) + 1;
  }
  return Buffer.concat(batches);
}
