import { crc32c } from '@node-rs/crc32';
import { codecs, type Codec } from './compression.ts';
import { readInt64 } from './int64.ts';

/** Bytes before the records of a batch: offset and length (12), then epoch, magic, CRC, attributes and counts. */
export const headerBytes = 61;
/** Bytes that the batch's length field does not count: base offset and the length itself. */
export const lengthPrefixBytes = 12;

/** The head of one record batch, format version 2. */
export interface BatchHeader {
  /** Whole batch with its header, in bytes. */
  readonly sizeBytes: number;
  readonly baseOffset: number;
  /** First offset behind the batch; counts records that compaction took out of it. */
  readonly nextOffset: number;
  /** Leader epoch it was written in. */
  readonly epoch: number;
  readonly codec: Codec;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  /** True where the broker's time (`maxTimestampMs`) stands for that of each record. */
  readonly isLogAppendTime: boolean;
  readonly isTransactional: boolean;
  /** True for the marks that end transactions; their records are not the user's. */
  readonly isControl: boolean;
  readonly producerId: number;
  readonly recordCount: number;
}

/** Why there is no batch: the bytes end before it does, are still zero where it would be, or are not one. */
export type NoBatch = 'incomplete' | 'blank' | 'bad';

/** Where the fields lie, in bytes from the start of the batch. */
export const fieldAt = {
  baseOffset: 0,
  length: 8,
  epoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

/**
 * Reads the head of the batch at `start`, without looking at its CRC. The rest of the batch may lie behind `end`.
 * @param maxSizeBytes a longer batch is `bad`.
 */
export function readHeader(bytes: Buffer, start: number, end: number, maxSizeBytes: number): BatchHeader | NoBatch {
  if (end - start < headerBytes) return 'incomplete';
  const length = bytes.readInt32BE(start + fieldAt.length);
  // Space that was allocated, or counted in the file's size, before the data came.
  if (length === 0) return 'blank';
  const sizeBytes = lengthPrefixBytes + length;
  if (sizeBytes < headerBytes || sizeBytes > maxSizeBytes || bytes[start + fieldAt.magic] !== 2) return 'bad';
  const attributes = bytes.readInt16BE(start + fieldAt.attributes);
  const codec = codecs[attributes & 7];
  const baseOffset = readInt64(bytes, start);
  const lastOffsetDelta = bytes.readInt32BE(start + fieldAt.lastOffsetDelta);
  if (codec === undefined || baseOffset < 0 || lastOffsetDelta < 0) return 'bad';
  return {
    sizeBytes,
    baseOffset,
    nextOffset: baseOffset + lastOffsetDelta + 1,
    epoch: bytes.readInt32BE(start + fieldAt.epoch),
    codec,
    baseTimestampMs: readInt64(bytes, start + fieldAt.baseTimestamp),
    maxTimestampMs: readInt64(bytes, start + fieldAt.maxTimestamp),
    isLogAppendTime: (attributes & 8) !== 0,
    isTransactional: (attributes & 16) !== 0,
    isControl: (attributes & 32) !== 0,
    producerId: readInt64(bytes, start + fieldAt.producerId),
    recordCount: bytes.readInt32BE(start + fieldAt.recordCount),
  };
}

/** True where the whole batch at `start` has the CRC-32C that it carries. */
export function hasGoodCrc(bytes: Buffer, start: number, sizeBytes: number): boolean {
  const covered = bytes.subarray(start + fieldAt.attributes, start + sizeBytes);
  return crc32c(covered) === bytes.readUInt32BE(start + fieldAt.crc);
}
