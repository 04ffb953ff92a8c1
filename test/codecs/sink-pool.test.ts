import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinkPool } from '../../src/codecs/sink-pool.ts';

const plan = { numbers: ['a'], texts: ['b'], times: [] };

test('a sink comes back with its columns, and only then', () => {
  const pool = new SinkPool(plan);
  const first = pool.take(3);
  first.putNumber(0, 1);
  first.putText(0, 'x');
  first.commit(0);
  const columns = pool.lend(first);
  const second = pool.take(3);
  assert.notEqual(second, first);
  assert.deepEqual([[...columns.numbers[0]!], columns.texts], [[1], [['x']]]);
  columns.recycle?.();
  const again = pool.take(2);
  assert.equal(again, first);
  assert.equal(again.rowCount, 0);
  assert.deepEqual(again.texts[0], [null, null, null]);
});

test('columns that come back twice come back once', () => {
  const pool = new SinkPool(plan);
  const columns = pool.lend(pool.take(1));
  columns.recycle?.();
  const taken = pool.take(1);
  columns.recycle?.();
  assert.notEqual(pool.take(1), taken);
});

test('a sink that is too small makes way for a larger one', () => {
  const pool = new SinkPool(plan);
  pool.lend(pool.take(1)).recycle?.();
  assert.equal(pool.take(5).capacity, 5);
});
