import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { before, test } from 'node:test';
import type { RecordBlock } from '../../../src/records.ts';
import type { AbortedTransaction } from '../../../src/sources/record-batch/aborted-producers.ts';
import { fieldAt, headerBytes, lengthPrefixBytes } from '../../../src/sources/record-batch/batch-header.ts';
import { codecs, loadCompression } from '../../../src/sources/record-batch/compression.ts';
import { encodeBatch } from '../../../src/sources/record-batch/encode-batch.ts';
import type { BlockPlace } from '../../../src/sources/record-batch/record-blocks.ts';
import { recordSetBlocks } from '../../../src/sources/record-batch/record-set.ts';
import { inTransaction, recrc, segmentOf, textRecord, transactionMarker } from './batches.ts';

before(loadCompression);

const place: BlockPlace = {
  topic: 't',
  partition: 3,
  fromOffset: 0,
  stopOffset: Infinity,
  endOffset: 1000,
  take: () => () => undefined,
};

const batch = (...values: string[]): Buffer => encodeBatch(values.map((value) => textRecord(value)));

function blocksOf(
  bytes: Buffer,
  more: Partial<BlockPlace> = {},
  abortedTransactions: readonly AbortedTransaction[] = [],
): RecordBlock[] {
  return [...recordSetBlocks({ bytes, abortedTransactions }, { ...place, ...more })];
}

function valuesOf(blocks: readonly RecordBlock[]): string[] {
  return blocks.flatMap((block) =>
    Array.from(block.offsets, (_, index) => {
      const start = block.valueStarts[index]!;
      return block.bytes.toString('utf8', start, start + block.valueLengths[index]!);
    }),
  );
}

/** What compaction leaves of a producer's last batch: a header that covers `count` offsets, and no record. */
function emptied(count: number): Buffer {
  const header = batch('x').subarray(0, headerBytes);
  header.writeInt32BE(headerBytes - lengthPrefixBytes, fieldAt.length);
  header.writeInt32BE(count - 1, fieldAt.lastOffsetDelta);
  header.writeInt32BE(0, fieldAt.recordCount);
  return recrc(Buffer.from(header));
}

test('the batches of a fetch come in order, whatever their codec, and a cut tail is left for the next one', () => {
  const batches = codecs.map((codec) => encodeBatch([textRecord(`${codec} 1`), textRecord(`${codec} 2`)], codec));
  const bytes = segmentOf(batches, 40, 7);
  const whole = blocksOf(bytes, { fromOffset: 40 });
  assert.deepEqual(
    valuesOf(whole),
    codecs.flatMap((codec) => [`${codec} 1`, `${codec} 2`]),
  );
  assert.equal(whole.at(-1)?.nextOffset, 50);
  assert.ok(
    whole.every(
      ({ epoch, endOffset, topic, partition }) => epoch === 7 && endOffset === 1000 && topic === 't' && partition === 3,
    ),
  );
  const last = batches.at(-1)?.length ?? 0;
  for (let cut = 1; cut <= last; cut += 1) {
    const blocks = blocksOf(bytes.subarray(0, bytes.length - cut), { fromOffset: 40 });
    assert.equal(blocks.at(-1)?.nextOffset, 48, `cut by ${cut}`);
  }
});

test('reading begins and ends within batches', () => {
  const bytes = segmentOf([batch('0', '1', '2'), batch('3', '4', '5')]);
  const blocks = blocksOf(bytes, { fromOffset: 2, stopOffset: 4 });
  assert.deepEqual(valuesOf(blocks), ['2', '3']);
  assert.equal(blocks.at(-1)?.nextOffset, 4);
});

test('an empty set is no block, and a batch that compaction emptied moves the position', () => {
  assert.deepEqual(blocksOf(Buffer.alloc(0)), []);
  const [block, ...rest] = blocksOf(segmentOf([batch('0'), emptied(5)]));
  assert.equal(block?.recordCount, 1);
  assert.deepEqual(
    rest.map(({ recordCount, nextOffset }) => [recordCount, nextOffset]),
    [[0, 6]],
  );
  assert.deepEqual(
    blocksOf(segmentOf([emptied(5)])).map(({ recordCount, nextOffset }) => [recordCount, nextOffset]),
    [[0, 5]],
  );
});

test('marks of transactions and what was aborted are passed over, others are shown', () => {
  const bytes = segmentOf([
    inTransaction(batch('aborted'), 1), // 0
    inTransaction(batch('kept'), 2), // 1
    batch('plain'), // 2
    inTransaction(batch('aborted'), 1), // 3
    transactionMarker(1, 'abort'), // 4
    inTransaction(batch('of the next'), 1), // 5
    transactionMarker(2, 'commit'), // 6
    transactionMarker(1, 'commit'), // 7
  ]);
  const shown = blocksOf(bytes, {}, [{ producerId: 1, firstOffset: 0 }]);
  assert.deepEqual(valuesOf(shown), ['kept', 'plain', 'of the next']);
  assert.equal(shown.at(-1)?.nextOffset, 8);
  assert.deepEqual(valuesOf(blocksOf(bytes)), ['aborted', 'kept', 'plain', 'aborted', 'of the next']);
});

test('a batch of 200,000 records is read', () => {
  const value = Buffer.alloc(10);
  const records = Array.from({ length: 200_000 }, (_, index) => ({ key: null, value, timestampMs: index }));
  const blocks = blocksOf(segmentOf([encodeBatch(records)]));
  assert.equal(
    blocks.reduce((sum, { recordCount }) => sum + recordCount, 0),
    200_000,
  );
  assert.equal(blocks.at(-1)?.nextOffset, 200_000);
});

/** A batch whose records decompress to `rawBytes` zeros. */
function bomb(rawBytes: number): Buffer {
  const head = batch('x').subarray(0, headerBytes);
  const bytes = Buffer.concat([head, gzipSync(Buffer.alloc(rawBytes))]);
  bytes.writeInt32BE(bytes.length - lengthPrefixBytes, fieldAt.length);
  bytes.writeInt16BE(1, fieldAt.attributes);
  return recrc(bytes);
}

test('what cannot be read is told with its place, behind the good records before it', () => {
  const flipped = batch('two');
  flipped[flipped.length - 3]! ^= 1;
  const noBatch = batch('two').fill(9, fieldAt.magic, fieldAt.magic + 1);
  const endless = batch('two');
  endless.writeInt32BE(2 ** 30, fieldAt.length);
  for (const [bad, reason] of [
    [flipped, /it does not match its CRC/],
    [noBatch, /its header is damaged/],
    [endless, /its header is damaged/],
    [bomb(2 << 20), /decompresses to more than 1048576 bytes/],
  ] as const) {
    const set = { bytes: segmentOf([batch('0', '1'), bad]), abortedTransactions: [] };
    const blocks = recordSetBlocks(set, place, 1 << 20);
    assert.equal(blocks.next().value?.recordCount, 2);
    assert.throws(
      () => blocks.next(),
      (error: Error & { code?: string; context?: Record<string, unknown> }) => {
        assert.equal(error.name, 'SourceError');
        assert.equal(error.code, 'source.corrupt');
        assert.match(error.message, /^t:3: the batch at offset 2 cannot be read: .*kafka-delete-records/);
        assert.match(error.message, reason);
        const { topic, partition, offset } = error.context ?? {};
        assert.deepEqual({ topic, partition, offset }, { topic: 't', partition: 3, offset: 2 });
        return true;
      },
    );
  }
});

test('a first batch that is not all there is no tail: reading would never move', () => {
  const bytes = segmentOf([batch('a long value')]);
  assert.throws(
    () => blocksOf(bytes.subarray(0, bytes.length - 1), { fromOffset: 0 }),
    /t:3: the batch at offset 0 .*cut off/,
  );
});
