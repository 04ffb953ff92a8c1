import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrayOf } from '../../src/operators/snapshot-parts.ts';

test('an array that is missing or of another type is a mistake that names it', () => {
  const snapshot = { json: {}, arrays: { counts: Float64Array.of(1) } };
  assert.deepEqual(arrayOf(snapshot, 'counts', Float64Array), Float64Array.of(1));
  assert.throws(() => arrayOf(snapshot, 'counts', Int32Array), /no Int32Array "counts"/);
  assert.throws(() => arrayOf(snapshot, 'means', Float64Array), /no Float64Array "means"/);
});
