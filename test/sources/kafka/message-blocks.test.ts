import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch, KafkaMessage } from '../../../src/sources/kafka/kafkajs.ts';
import { messageBlocks } from '../../../src/sources/kafka/message-blocks.ts';
import type { BlockPlace } from '../../../src/sources/record-batch/record-blocks.ts';
import { maxBlockRecords } from '../../../src/sources/source.ts';

function message(offset: number, more: Partial<KafkaMessage> = {}): KafkaMessage {
  return {
    key: Buffer.from('key'),
    value: Buffer.from('value'),
    offset: String(offset),
    timestamp: String(1000 + offset),
    attributes: 0,
    ...more,
  };
}

const batchOf = (messages: KafkaMessage[], lastOffset: number): Batch =>
  ({ messages, lastOffset: () => String(lastOffset) }) as unknown as Batch;

const place: BlockPlace = {
  topic: 't',
  partition: 2,
  fromOffset: 0,
  stopOffset: Infinity,
  endOffset: 5000,
  take: () => () => undefined,
};

test('a block copies keys, values and headers, so that it keeps nothing of the fetch', () => {
  const fetched = Buffer.from('abcdef');
  const messages = [
    message(3, { key: fetched.subarray(0, 2), value: fetched.subarray(2, 4), headers: { h: fetched.subarray(4) } }),
    message(7, { key: null, value: null }),
  ];
  const [block] = messageBlocks(batchOf(messages, 8), place);
  fetched.fill(0);
  assert.ok(block !== undefined);
  assert.equal(block.bytes.toString(), 'abcd');
  assert.deepEqual([...block.keyStarts], [0, 4]);
  assert.deepEqual([...block.keyLengths], [2, -1]);
  assert.deepEqual([...block.valueStarts], [2, 4]);
  assert.deepEqual([...block.valueLengths], [2, -1]);
  assert.deepEqual([...block.offsets], [3, 7]);
  assert.deepEqual([...block.timestampsMs], [1003, 1007]);
  assert.deepEqual(block.headers(0), [{ key: 'h', value: Buffer.from('ef') }]);
  assert.deepEqual(block.headers(1), []);
  assert.equal(block.nextOffset, 9);
  assert.equal(block.endOffset, 5000);
  assert.equal(block.epoch, -1);
});

test('records without bytes take credit too', () => {
  let taken = 0;
  const messages = Array.from({ length: 10 }, (_, index) => message(index, { key: null, value: null }));
  const take = (bytes: number) => {
    taken += bytes;
    return () => undefined;
  };
  assert.equal([...messageBlocks(batchOf(messages, 9), { ...place, take })].length, 1);
  assert.equal(taken, 320);
});

test('a long batch becomes several blocks, cut to the offsets that are wanted', () => {
  const batch = batchOf(
    Array.from({ length: 3000 }, (_, index) => message(index)),
    3004,
  );
  const spans = (more: Partial<BlockPlace>): unknown =>
    [...messageBlocks(batch, { ...place, ...more })].map((block) => [
      block.offsets[0],
      block.recordCount,
      block.nextOffset,
    ]);
  assert.deepEqual(spans({ fromOffset: 500 }), [
    [500, maxBlockRecords, 1524],
    [1524, maxBlockRecords, 2548],
    [2548, 452, 3005],
  ]);
  assert.deepEqual(spans({ stopOffset: 100 }), [[0, 100, 100]]);
  assert.deepEqual(
    spans({ fromOffset: 3001 }),
    [[undefined, 0, 3005]],
    'the position moves where there is nothing to show',
  );
  assert.deepEqual(spans({ fromOffset: 3005 }), []);
});
