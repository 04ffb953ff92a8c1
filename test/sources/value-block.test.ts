import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueBlock } from '../../src/sources/value-block.ts';

const place = { topic: 't', partition: 2, firstOffset: 7, epoch: 3, endOffset: 20, nowMs: 99 };

test('values lie one behind the other in the bytes of the block, whose credit is taken', () => {
  let taken = 0;
  const block = valueBlock(
    ['one', '', 'three'].map((text) => Buffer.from(text)),
    place,
    (bytes) => {
      taken = bytes;
      return () => (taken = 0);
    },
  );
  assert.equal(block.bytes.toString(), 'onethree');
  assert.deepEqual([...block.valueStarts], [0, 3, 3]);
  assert.deepEqual([...block.valueLengths], [3, 0, 5]);
  assert.deepEqual([...block.keyLengths], [-1, -1, -1]);
  assert.deepEqual([...block.offsets], [7, 8, 9]);
  assert.deepEqual([...block.timestampsMs], [99, 99, 99]);
  assert.deepEqual([block.topic, block.partition, block.nextOffset, block.epoch, block.endOffset], ['t', 2, 10, 3, 20]);
  assert.equal(taken, 8);
  block.release();
  assert.equal(taken, 0);
});

test('no values are an empty block that moves no position', () => {
  const block = valueBlock([], place, () => () => undefined);
  assert.deepEqual([block.recordCount, block.nextOffset, block.isEndOfInput], [0, 7, false]);
});
