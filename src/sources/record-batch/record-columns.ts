import { headerBytes, type BatchHeader } from './batch-header.ts';
import { decompress, maxBatchBytes } from './compression.ts';
import { corrupt } from './corrupt.ts';

/** The records of one batch as columns: ranges into `bytes`, no object per record. */
export interface RecordColumns {
  readonly header: BatchHeader;
  readonly recordCount: number;
  /** The batch's own bytes, or what they decompress to. */
  readonly bytes: Buffer;
  /** Part of `bytes` that holds the records. */
  readonly recordBytes: number;
  /** [recordCount] each; a length of -1 is null. */
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  readonly keyStarts: Int32Array;
  readonly keyLengths: Int32Array;
  /** Where each record's header count stands and where the record ends. */
  readonly headerStarts: Int32Array;
  readonly headerEnds: Int32Array;
  readonly offsets: Float64Array;
  readonly timestampsMs: Float64Array;
}

/** Bytes of the columns that a record has besides its own: two doubles and six ints. */
export const columnBytes = 2 * 8 + 6 * 4;

/** Length, attributes, time, offset, key length, value length and header count take a byte each. */
const minRecordBytes = 7;

/**
 * Decodes the records of the batch whose header was read at `start`. `loadCompression` must have resolved before.
 * @param maxBytes limit of what a compressed batch may decompress to.
 * @throws SourceError `source.corrupt` where the records contradict their header or their own lengths.
 */
export function decodeRecords(
  bytes: Buffer,
  start: number,
  header: BatchHeader,
  maxBytes: number = maxBatchBytes,
): RecordColumns {
  const body = bytes.subarray(start + headerBytes, start + header.sizeBytes);
  // Compaction leaves the header of a batch whose records are all gone, with the codec that it once had.
  const isPlain = header.codec === 'none' || header.recordCount === 0;
  const backing = isPlain ? bytes : decompress(header.codec, body, maxBytes);
  const from = isPlain ? start + headerBytes : 0;
  const end = isPlain ? start + header.sizeBytes : backing.length;
  const count = header.recordCount;
  if (count < 0 || count * minRecordBytes > end - from) throw damaged(header, `${count} records in too few bytes`);
  // One allocation for all columns: batches are many and may be small.
  const memory = new ArrayBuffer(count * columnBytes);
  const doubles = (index: number): Float64Array => new Float64Array(memory, index * count * 8, count);
  const ints = (index: number): Int32Array => new Int32Array(memory, (2 * 8 + index * 4) * count, count);
  const columns: RecordColumns = {
    header,
    recordCount: count,
    bytes: backing,
    recordBytes: end - from,
    offsets: doubles(0),
    timestampsMs: doubles(1),
    valueStarts: ints(0),
    valueLengths: ints(1),
    keyStarts: ints(2),
    keyLengths: ints(3),
    headerStarts: ints(4),
    headerEnds: ints(5),
  };
  fillColumns(columns, from, end);
  if (header.isLogAppendTime) columns.timestampsMs.fill(header.maxTimestampMs);
  return columns;
}

function damaged(header: BatchHeader, what: string): Error {
  return corrupt(`the batch at offset ${header.baseOffset} is damaged: ${what}`, { offset: header.baseOffset });
}

/** The varint's end of the latest `readZigzag`: module state, so that the hot loop returns no object. */
let cursor = 0;

/** A zigzag varint of up to 32 bits. Past the end of `bytes` a byte reads as 0; the caller checks the record's end. */
function readZigzag(bytes: Buffer, at: number): number {
  const byte = bytes[at]!;
  // Small enough to be inlined: nearly all lengths take one or two bytes.
  if (byte < 128) {
    cursor = at + 1;
    return (byte >>> 1) ^ -(byte & 1);
  }
  return readBytesOfZigzag(bytes, at);
}

function readBytesOfZigzag(bytes: Buffer, at: number): number {
  let byte = bytes[at]!;
  let bits = byte & 127;
  let next = at + 1;
  for (let shift = 7; byte > 127 && shift < 35; shift += 7) {
    byte = bytes[next]!;
    bits |= (byte & 127) << shift;
    next += 1;
  }
  cursor = next;
  return (bits >>> 1) ^ -(bits & 1);
}

/** A zigzag varint of up to 64 bits as a number, exact within ±2⁵³. */
function readLongZigzag(bytes: Buffer, at: number): number {
  const byte = bytes[at]!;
  if (byte < 128) {
    cursor = at + 1;
    return (byte >>> 1) ^ -(byte & 1);
  }
  return readBytesOfLongZigzag(bytes, at);
}

function readBytesOfLongZigzag(bytes: Buffer, at: number): number {
  let byte = bytes[at]!;
  let value = byte & 127;
  let next = at + 1;
  for (let scale = 128; byte > 127 && next < at + 10; scale *= 128) {
    byte = bytes[next]!;
    value += (byte & 127) * scale;
    next += 1;
  }
  cursor = next;
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}

function fillColumns(columns: RecordColumns, from: number, end: number): void {
  const { header, recordCount, bytes, valueStarts, valueLengths, keyStarts, keyLengths } = columns;
  const { headerStarts, headerEnds, offsets, timestampsMs } = columns;
  let previousOffset = header.baseOffset - 1;
  let at = from;
  for (let index = 0; index < recordCount; index += 1) {
    const length = readZigzag(bytes, at);
    const recordEnd = cursor + length;
    if (!(recordEnd <= end) || length < minRecordBytes - 1) throw damaged(header, 'a record past its end');
    // The record's attributes (one byte) have no meaning yet.
    timestampsMs[index] = header.baseTimestampMs + readLongZigzag(bytes, cursor + 1);
    const offset = header.baseOffset + readZigzag(bytes, cursor);
    const keyLength = readZigzag(bytes, cursor);
    keyStarts[index] = cursor;
    keyLengths[index] = keyLength;
    const valueLength = readZigzag(bytes, keyLength > 0 ? cursor + keyLength : cursor);
    valueStarts[index] = cursor;
    valueLengths[index] = valueLength;
    const headersAt = valueLength > 0 ? cursor + valueLength : cursor;
    // With the lengths at least -1 and the end in range, every start between lies in range too.
    if (keyLength < -1 || valueLength < -1 || headersAt >= recordEnd) throw damaged(header, 'a record past its length');
    if (offset <= previousOffset || offset >= header.nextOffset) throw damaged(header, 'offsets out of order');
    headerStarts[index] = headersAt;
    headerEnds[index] = recordEnd;
    offsets[index] = offset;
    previousOffset = offset;
    at = recordEnd;
  }
  if (at !== end) throw damaged(header, 'bytes behind the last record');
}
