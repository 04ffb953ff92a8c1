import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaMessage } from '../../../src/sources/kafka/kafkajs.ts';
import { messageBlock } from '../../../src/sources/kafka/message-block.ts';

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

test('a block copies keys, values and headers, so that it keeps nothing of the fetch', () => {
  const fetched = Buffer.from('abcdef');
  const block = messageBlock(
    [
      message(3, { key: fetched.subarray(0, 2), value: fetched.subarray(2, 4), headers: { h: fetched.subarray(4) } }),
      message(7, { key: null, value: null }),
    ],
    { topic: 't', partition: 2, nextOffset: 9, endOffset: 12, take: () => () => undefined },
  );
  fetched.fill(0);
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
  assert.equal(block.endOffset, 12);
  assert.equal(block.epoch, -1);
});

test('records without bytes take credit too', () => {
  let taken = 0;
  messageBlock(
    Array.from({ length: 10 }, (_, index) => message(index, { key: null, value: null })),
    {
      topic: 't',
      partition: 0,
      nextOffset: 10,
      endOffset: 10,
      take: (bytes) => {
        taken = bytes;
        return () => undefined;
      },
    },
  );
  assert.equal(taken, 320);
});
