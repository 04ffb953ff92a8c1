import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedColumns } from '../../src/operators/shared-columns.ts';
import { scaledBlock } from '../support/blocks.ts';

test('blocks of one origin share their columns as long as these are long enough', () => {
  const shared = new SharedColumns();
  const first = shared.of(scaledBlock([1, 2], { originId: 3, partition: 7 }));
  assert.deepEqual([first.originIds, first.partitions], [Int32Array.of(3, 3), Int32Array.of(7, 7)]);
  assert.deepEqual(first.isScored, Uint8Array.of(1, 1));
  assert.equal(shared.of(scaledBlock([9], { originId: 3, partition: 7 })), first);
  const longer = shared.of(scaledBlock([1, 2, 3], { originId: 3, partition: 7 }));
  assert.deepEqual([...longer.originIds], [3, 3, 3]);
  const unscored = shared.of(scaledBlock([1], { originId: 3, partition: 7, isScored: false }));
  assert.deepEqual([...unscored.isScored], [0]);
  assert.deepEqual([...shared.of(scaledBlock([1], { originId: 4, partition: 7 })).originIds], [4]);
});

test('of many origins only some are kept', () => {
  const shared = new SharedColumns();
  const first = shared.of(scaledBlock([1], { originId: 0 }));
  for (let originId = 1; originId < 1000; originId += 1) shared.of(scaledBlock([1], { originId }));
  assert.notEqual(shared.of(scaledBlock([1], { originId: 0 })), first);
});
