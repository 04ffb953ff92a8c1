import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptRows } from '../../src/operators/kept-rows.ts';

test('a reset empties it and keeps its arrays where they are long enough', () => {
  const kept = new KeptRows();
  kept.reset(2);
  kept.add(0, 5, true);
  kept.add(3, 6, false);
  assert.equal(kept.count, 2);
  assert.deepEqual(
    [kept.indexes, kept.slots, kept.areNew],
    [Int32Array.of(0, 3), Int32Array.of(5, 6), Uint8Array.of(1, 0)],
  );
  const { indexes } = kept;
  kept.reset(1);
  assert.deepEqual([kept.count, kept.indexes], [0, indexes]);
  kept.reset(100);
  assert.equal(kept.indexes.length, 100);
});
