import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../../src/serving/history.ts';

const point = (ms: number) => ({ ms, rowsPerSecond: 1, loss: null, scores: {} });

test('a full history drops every other point, doubles its interval and says so by its revision', () => {
  const history = new History(8, 100);
  for (let ms = 100; ms <= 700; ms += 100) history.add(point(ms));
  assert.equal(history.points.length, 7);
  assert.equal(history.revision, 0);
  history.add(point(800));
  assert.deepEqual(
    history.points.map(({ ms }) => ms),
    [200, 400, 600, 800],
  );
  assert.equal(history.intervalMs, 200);
  assert.equal(history.revision, 1);
});

test('a point is due when an interval has passed since the last one', () => {
  const history = new History(8, 100);
  assert.equal(history.isDue(0), true);
  history.add(point(0));
  assert.equal(history.isDue(99), false);
  assert.equal(history.isDue(100), true);
});
