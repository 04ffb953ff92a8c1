import { crc32c } from '@node-rs/crc32';
import type { RecordHeader } from '../../records.ts';
import { fieldAt, headerBytes, lengthPrefixBytes } from './batch-header.ts';
import { codecs, compress, type Codec } from './compression.ts';
import { writeInt64 } from './int64.ts';

/** A record to be written. */
export interface LogRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Unix milliseconds, an integer within ±2⁵². */
  readonly timestampMs: number;
  readonly headers?: readonly RecordHeader[];
}

/** Who writes a batch: a broker takes the sequence numbers of a producer and a partition once, and in order. */
export interface BatchProducer {
  readonly id: number;
  readonly epoch: number;
  /** Sequence number of the first record, an int32 of 0 or more; the others count on from it. */
  readonly baseSequence: number;
}

/** No idempotent producer. */
const anyone: BatchProducer = { id: -1, epoch: -1, baseSequence: -1 };

/**
 * Encodes one record batch (format version 2) with base offset 0 and epoch 0: both lie outside the CRC, `stampBatch`
 * sets them. Under a codec other than `none` `loadCompression` must have resolved before.
 * @param records at least one.
 */
export function encodeBatch(
  records: readonly LogRecord[],
  codec: Codec = 'none',
  producer: BatchProducer = anyone,
): Buffer {
  const first = records[0];
  if (first === undefined) throw new Error('a batch needs a record');
  const baseTimestampMs = first.timestampMs;
  const plain = encodeRecords(records, baseTimestampMs);
  const batch = codec === 'none' ? plain : withBody(compress(codec, plain.subarray(headerBytes)));
  let maxTimestampMs = baseTimestampMs;
  for (const record of records) maxTimestampMs = Math.max(maxTimestampMs, record.timestampMs);
  batch.fill(0, 0, headerBytes);
  batch.writeInt32BE(batch.length - lengthPrefixBytes, fieldAt.length);
  batch.writeInt8(2, fieldAt.magic);
  batch.writeInt16BE(codecs.indexOf(codec), fieldAt.attributes);
  batch.writeInt32BE(records.length - 1, fieldAt.lastOffsetDelta);
  writeInt64(batch, fieldAt.baseTimestamp, baseTimestampMs);
  writeInt64(batch, fieldAt.maxTimestamp, maxTimestampMs);
  writeInt64(batch, fieldAt.producerId, producer.id);
  batch.writeInt16BE(producer.epoch, fieldAt.producerEpoch);
  batch.writeInt32BE(producer.baseSequence, fieldAt.baseSequence);
  batch.writeInt32BE(records.length, fieldAt.recordCount);
  batch.writeUInt32BE(crc32c(batch.subarray(fieldAt.attributes)), fieldAt.crc);
  return batch;
}

/** Gives an encoded batch its place in the log, without touching what the CRC covers. */
export function stampBatch(batch: Buffer, baseOffset: number, epoch: number): void {
  writeInt64(batch, fieldAt.baseOffset, baseOffset);
  batch.writeInt32BE(epoch, fieldAt.epoch);
}

function withBody(body: Buffer): Buffer {
  const batch = Buffer.allocUnsafe(headerBytes + body.length);
  body.copy(batch, headerBytes);
  return batch;
}

/** Room for the header, then the records. */
function encodeRecords(records: readonly LogRecord[], baseTimestampMs: number): Buffer {
  const headers = records.map((record) => encodeHeaders(record.headers ?? []));
  let size = headerBytes;
  const lengths = records.map((record, index) => {
    const length = recordLength(record, index, record.timestampMs - baseTimestampMs, headers[index]!.length);
    size += varintBytes(length) + length;
    return length;
  });
  const bytes = Buffer.allocUnsafe(size);
  let at = headerBytes;
  records.forEach((record, index) => {
    at = writeVarint(bytes, at, lengths[index]!);
    bytes[at] = 0;
    at = writeVarint(bytes, at + 1, record.timestampMs - baseTimestampMs);
    at = writeVarint(bytes, at, index);
    at = writeRange(bytes, at, record.key);
    at = writeRange(bytes, at, record.value);
    bytes.set(headers[index]!, at);
    at += headers[index]!.length;
  });
  return bytes;
}

function recordLength(record: LogRecord, index: number, timestampDelta: number, headersLength: number): number {
  const ranges = rangeBytes(record.key) + rangeBytes(record.value);
  return 1 + varintBytes(timestampDelta) + varintBytes(index) + ranges + headersLength;
}

const noHeaders = Buffer.from([0]);

function encodeHeaders(headers: readonly RecordHeader[]): Buffer {
  if (headers.length === 0) return noHeaders;
  const pairs = headers.map(({ key, value }) => ({ key: Buffer.from(key, 'utf8'), value }));
  const size = pairs.reduce((sum, { key, value }) => sum + rangeBytes(key) + rangeBytes(value), 0);
  const bytes = Buffer.allocUnsafe(varintBytes(pairs.length) + size);
  let at = writeVarint(bytes, 0, pairs.length);
  for (const { key, value } of pairs) at = writeRange(bytes, writeRange(bytes, at, key), value);
  return bytes;
}

function rangeBytes(range: Uint8Array | null): number {
  return range === null ? 1 : varintBytes(range.length) + range.length;
}

function writeRange(bytes: Buffer, at: number, range: Uint8Array | null): number {
  if (range === null) return writeVarint(bytes, at, -1);
  const start = writeVarint(bytes, at, range.length);
  bytes.set(range, start);
  return start + range.length;
}

/** Zigzag in plain arithmetic: bit operations end at 32 bits, time differences do not. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varintBytes(value: number): number {
  let length = 1;
  for (let rest = zigzag(value); rest > 127; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = zigzag(value);
  let next = at;
  for (; rest > 127; rest = Math.floor(rest / 128)) {
    bytes[next] = (rest % 128) | 128;
    next += 1;
  }
  bytes[next] = rest;
  return next + 1;
}
