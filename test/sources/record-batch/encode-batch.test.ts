import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { codecs, loadCompression } from '../../../src/sources/record-batch/compression.ts';
import { encodeBatch, stampBatch, type LogRecord } from '../../../src/sources/record-batch/encode-batch.ts';
import { goodHeader, recordsOf, textRecord } from './batches.ts';

before(loadCompression);

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)));
const header = fc.record(
  { key: fc.string({ unit: 'binary', maxLength: 20 }), value: bytes },
  { noNullPrototype: true },
);
const timestampMs = fc.oneof(
  fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
  fc.integer({ min: 0, max: 2_000_000_000_000 }),
);
const headers = fc.array(header, { maxLength: 4 });
const record: fc.Arbitrary<Required<LogRecord>> = fc.record(
  { key: bytes, value: bytes, timestampMs, headers },
  { noNullPrototype: true },
);

test('records come back from a batch as they went in, under every codec', () => {
  const batch = fc.array(record, { minLength: 1, maxLength: 80 });
  const run = (records: Required<LogRecord>[], codec: (typeof codecs)[number]): void => {
    assert.deepEqual(recordsOf(encodeBatch(records, codec)), records);
  };
  fc.assert(fc.property(batch, fc.constantFrom(...codecs), run), { seed: 7, numRuns: 150 });
});

test('a batch says its offsets, times, count and codec in its header', () => {
  const records = [textRecord('a', 5000), textRecord('b', 4000), textRecord('c', 9000)];
  for (const codec of codecs) {
    const batch = encodeBatch(records, codec);
    stampBatch(batch, 2 ** 40 + 7, 12);
    const found = goodHeader(batch);
    assert.deepEqual(
      { ...found, sizeBytes: 0 },
      {
        sizeBytes: 0,
        baseOffset: 2 ** 40 + 7,
        nextOffset: 2 ** 40 + 10,
        epoch: 12,
        codec,
        baseTimestampMs: 5000,
        maxTimestampMs: 9000,
        isLogAppendTime: false,
        isTransactional: false,
        isControl: false,
        producerId: -1,
        recordCount: 3,
      },
    );
    assert.equal(found.sizeBytes, batch.length);
  }
});

test('a batch names its producer and where its sequence numbers begin', () => {
  const batch = encodeBatch([textRecord('a', 5000)], 'none', { id: 2 ** 40 + 5, epoch: 3, baseSequence: 2 ** 31 - 1 });
  assert.equal(goodHeader(batch).producerId, 2 ** 40 + 5);
  assert.deepEqual([batch.readInt16BE(51), batch.readInt32BE(53)], [3, 2 ** 31 - 1]);
});

test('a batch of 200,000 records round-trips', () => {
  const records = Array.from({ length: 200_000 }, (_, index) => textRecord(String(index), index * 1000));
  const found = recordsOf(encodeBatch(records));
  assert.equal(found.length, records.length);
  assert.equal(found.at(-1)?.value?.toString(), '199999');
  assert.equal(found.at(-1)?.timestampMs, 199_999_000);
});

test('an empty batch is refused', () => {
  assert.throws(() => encodeBatch([]), /needs a record/);
});
