import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloatPool } from '../../src/operators/float-pool.ts';

test('an array that was given back serves the next block of its length, and no two at once', () => {
  const pool = new FloatPool();
  const first = pool.take(4);
  assert.equal(first.length, 4);
  assert.notEqual(pool.take(4), first);
  pool.give(first);
  assert.equal(pool.take(4), first);
  assert.notEqual(pool.take(4), first);
});

test('an array of another length is let go', () => {
  const pool = new FloatPool();
  pool.give(pool.take(4));
  assert.equal(pool.take(3).length, 3);
});
