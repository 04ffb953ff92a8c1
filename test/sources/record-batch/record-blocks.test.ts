import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Credit } from '../../../src/sources/credit.ts';
import { loadCompression } from '../../../src/sources/record-batch/compression.ts';
import { fieldAt } from '../../../src/sources/record-batch/batch-header.ts';
import { encodeBatch, stampBatch } from '../../../src/sources/record-batch/encode-batch.ts';
import { recordBlocks } from '../../../src/sources/record-batch/record-blocks.ts';
import { decodeRecords, type RecordColumns } from '../../../src/sources/record-batch/record-columns.ts';
import { maxBlockRecords } from '../../../src/sources/source.ts';
import { goodHeader, recrc, textRecord } from './batches.ts';

before(loadCompression);

/** A batch of records from offset 100 on, behind which compaction left a gap of 5. */
function columnsOf(count: number): RecordColumns {
  const headers = [{ key: 'h', value: null }];
  const batch = encodeBatch(Array.from({ length: count }, (_, index) => ({ ...textRecord(`v${index}`), headers })));
  batch.writeInt32BE(count + 4, fieldAt.lastOffsetDelta);
  recrc(batch);
  stampBatch(batch, 100, 9);
  return decodeRecords(batch, 0, goodHeader(batch));
}

function place(fromOffset: number, credit = new Credit(1), stopOffset = Infinity): Parameters<typeof recordBlocks>[1] {
  return { topic: 't', partition: 2, fromOffset, stopOffset, endOffset: 9000, take: (bytes) => credit.take(bytes) };
}

test('a long batch becomes several blocks over the same bytes, the last of which covers the gap behind', () => {
  const columns = columnsOf(2500);
  const blocks = [...recordBlocks(columns, place(0))];
  assert.deepEqual(
    blocks.map((block) => [block.recordCount, block.nextOffset, block.offsets[0]]),
    [
      [maxBlockRecords, 1124, 100],
      [maxBlockRecords, 2148, 1124],
      [452, 2605, 2148],
    ],
  );
  for (const block of blocks) {
    assert.equal(block.bytes, columns.bytes);
    assert.equal(block.epoch, 9);
    assert.equal(block.endOffset, 9000);
    assert.equal(block.partition, 2);
  }
  assert.deepEqual(blocks[1]?.headers(0), [{ key: 'h', value: null }]);
  const start = blocks[1].valueStarts[3]!;
  assert.equal(columns.bytes.toString('utf8', start, start + blocks[1].valueLengths[3]!), 'v1027');
});

test('reading that began within a batch leaves out what lies before', () => {
  const blocks = [...recordBlocks(columnsOf(10), place(107))];
  assert.deepEqual([...(blocks[0]?.offsets ?? [])], [107, 108, 109]);
  assert.equal(blocks[0]?.nextOffset, 115);
  assert.deepEqual([...recordBlocks(columnsOf(10), place(112))], []);
});

test('a reading that ends within a batch leaves out what lies behind', () => {
  const upTo = (stopOffset: number) => [...recordBlocks(columnsOf(10), place(0, new Credit(1), stopOffset))];
  assert.deepEqual([...(upTo(103)[0]?.offsets ?? [])], [100, 101, 102]);
  assert.equal(upTo(103)[0]?.nextOffset, 103);
  assert.equal(upTo(112)[0]?.nextOffset, 112, 'the end lies in the gap behind the records');
  assert.deepEqual(upTo(100), []);
});

test('each block takes credit as it is made and gives all of it back once', () => {
  const credit = new Credit(1);
  const columns = columnsOf(2500);
  const blocks = recordBlocks(columns, place(0, credit));
  const first = blocks.next().value;
  const used = credit.usedBytes;
  assert.ok(used > 0 && used < columns.recordBytes + 40 * 2500);
  const rest = [...blocks];
  assert.ok(credit.usedBytes >= columns.recordBytes);
  for (const block of [first, ...rest]) {
    block?.release();
    block?.release();
  }
  assert.equal(credit.usedBytes, 0);
});
