import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { SourceError } from '../../../src/errors.ts';
import { fieldAt, hasGoodCrc, headerBytes, readHeader } from '../../../src/sources/record-batch/batch-header.ts';
import { codecs, loadCompression } from '../../../src/sources/record-batch/compression.ts';
import { encodeBatch, stampBatch } from '../../../src/sources/record-batch/encode-batch.ts';
import { decodeRecords } from '../../../src/sources/record-batch/record-columns.ts';
import { readHeaders } from '../../../src/sources/record-batch/record-headers.ts';
import { goodHeader, noLimit, recrc, textRecord } from './batches.ts';

before(loadCompression);

function sample(codec: (typeof codecs)[number] = 'none'): Buffer {
  const headers = [{ key: 'unit', value: Buffer.from('°C') }];
  return encodeBatch(
    [{ ...textRecord('one'), key: Buffer.from('k'), headers }, textRecord('two'), textRecord('')],
    codec,
  );
}

function isCorrupt(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'source.corrupt' && !error.retriable;
}

test('records of a batch that lies within other bytes are ranges into those bytes', () => {
  const batch = sample();
  stampBatch(batch, 500, 3);
  const bytes = Buffer.concat([Buffer.from('before'), batch, Buffer.from('behind')]);
  const header = readHeader(bytes, 6, bytes.length, noLimit);
  assert.ok(typeof header !== 'string');
  const columns = decodeRecords(bytes, 6, header);
  assert.equal(columns.bytes, bytes);
  assert.deepEqual([...columns.offsets], [500, 501, 502]);
  const start = columns.valueStarts[1]!;
  assert.equal(bytes.toString('utf8', start, start + columns.valueLengths[1]!), 'two');
  assert.deepEqual([...columns.keyLengths], [1, -1, -1]);
  assert.deepEqual([...columns.valueLengths], [3, 3, 0]);
});

test('the broker time stands for every record where the batch says so', () => {
  const batch = encodeBatch([textRecord('a', 1000), textRecord('b', 7000)]);
  batch.writeInt16BE(8, fieldAt.attributes);
  recrc(batch);
  assert.deepEqual([...decodeRecords(batch, 0, goodHeader(batch)).timestampsMs], [7000, 7000]);
});

test('a batch that compaction emptied has no records, whatever its codec', () => {
  for (const attributes of codecs.keys()) {
    const batch = Buffer.from(encodeBatch([textRecord('gone')]).subarray(0, headerBytes));
    batch.writeInt32BE(headerBytes - 12, fieldAt.length);
    batch.writeInt16BE(attributes, fieldAt.attributes);
    batch.writeInt32BE(9, fieldAt.lastOffsetDelta);
    batch.writeInt32BE(0, fieldAt.recordCount);
    recrc(batch);
    assert.equal(goodHeader(batch).nextOffset, 10);
    assert.equal(decodeRecords(batch, 0, goodHeader(batch)).recordCount, 0);
  }
});

test('every flipped bit behind the offset is seen, by the header or by the CRC', () => {
  const batch = sample();
  for (let bit = 8 * 8; bit < batch.length * 8; bit += 1) {
    const flipped = Buffer.from(batch);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const isInEpoch = bit >> 3 >= fieldAt.epoch && bit >> 3 < fieldAt.magic;
    if (isInEpoch) continue;
    const header = readHeader(flipped, 0, flipped.length, noLimit);
    const isWhole = typeof header !== 'string' && header.sizeBytes <= flipped.length;
    assert.ok(!isWhole || !hasGoodCrc(flipped, 0, header.sizeBytes), `bit ${bit}`);
  }
});

test('a batch cut at any byte is incomplete', () => {
  const batch = sample();
  for (let length = 0; length < batch.length; length += 1) {
    const header = readHeader(batch, 0, length, noLimit);
    assert.ok(header === 'incomplete' || (typeof header !== 'string' && header.sizeBytes > length));
  }
});

test('space that holds zeros is blank, other formats and too long batches are bad', () => {
  assert.equal(readHeader(Buffer.alloc(100), 0, 100, noLimit), 'blank');
  const batch = sample();
  assert.equal(readHeader(batch, 0, batch.length, batch.length - 1), 'bad');
  batch[fieldAt.magic] = 1;
  assert.equal(readHeader(batch, 0, batch.length, noLimit), 'bad');
});

test('damage under a good CRC is a typed error for every codec, never another one', () => {
  for (const codec of codecs) {
    const batch = sample(codec);
    const change = fc.record({ at: fc.integer({ min: headerBytes, max: batch.length - 1 }), to: fc.nat(255) });
    const run = (changes: { at: number; to: number }[]): void => {
      const damaged = Buffer.from(batch);
      for (const { at, to } of changes) damaged[at] = to;
      recrc(damaged);
      try {
        const columns = decodeRecords(damaged, 0, goodHeader(damaged), 10_000);
        for (let index = 0; index < columns.recordCount; index += 1) {
          assert.ok(columns.valueStarts[index]! + Math.max(0, columns.valueLengths[index]!) <= columns.bytes.length);
          assert.ok(columns.keyStarts[index]! + Math.max(0, columns.keyLengths[index]!) <= columns.bytes.length);
          readHeaders(columns.bytes, columns.headerStarts[index]!, columns.headerEnds[index]!);
        }
      } catch (error) {
        assert.ok(isCorrupt(error), String(error));
      }
    };
    fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), run), { seed: 11, numRuns: 400 });
  }
});

test('a record count that the bytes cannot hold is refused before anything is allocated for it', () => {
  for (const count of [4, 2_000_000_000, -1]) {
    const batch = sample();
    batch.writeInt32BE(count, fieldAt.recordCount);
    recrc(batch);
    assert.throws(() => decodeRecords(batch, 0, goodHeader(batch)), isCorrupt);
  }
});

test('fewer records than the bytes hold are refused', () => {
  const batch = sample();
  batch.writeInt32BE(2, fieldAt.recordCount);
  recrc(batch);
  assert.throws(() => decodeRecords(batch, 0, goodHeader(batch)), /bytes behind the last record/);
});

test('offsets that leave the batch or go back are refused', () => {
  const batch = sample();
  batch.writeInt32BE(1, fieldAt.lastOffsetDelta);
  recrc(batch);
  assert.throws(() => decodeRecords(batch, 0, goodHeader(batch)), /offsets out of order/);
});

test('damaged headers end their list early', () => {
  // Two headers are announced; the second one's value would reach behind the record.
  const bytes = Buffer.from([4, 2, 0x61, 2, 0x62, 2, 0x63, 60, 0x64]);
  assert.deepEqual(readHeaders(bytes, 0, bytes.length), [{ key: 'a', value: Buffer.from('b') }]);
  assert.deepEqual(readHeaders(Buffer.from([1]), 0, 1), []);
  assert.deepEqual(readHeaders(Buffer.alloc(0), 0, 0), []);
});
