import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regressionLoss } from '../../src/trainer/regression-loss.ts';

test('Huber costs half a square up to delta and a line from there on, with one slope where they meet', () => {
  const { cost, slope } = regressionLoss({ kind: 'huber', delta: 2 });
  assert.deepEqual([cost(1), cost(-2), cost(5), cost(-5)], [0.5, 2, 8, 8]);
  assert.deepEqual([slope(1), slope(-2), slope(5), slope(-5)], [1, -2, 2, -2]);
});

for (const options of [{ kind: 'mse' }, { kind: 'mae' }, { kind: 'huber', delta: 0.7 }] as const) {
  test(`the slope of ${options.kind} is that of its cost, and what is not finite costs no finite number`, () => {
    const { cost, slope } = regressionLoss(options);
    for (const error of [-3, -0.71, -0.2, 0.2, 0.69, 4]) {
      const found = (cost(error + 1e-6) - cost(error - 1e-6)) / 2e-6;
      assert.ok(Math.abs(slope(error) - found) < 1e-6, `${error}: ${slope(error)}, by differences ${found}`);
    }
    for (const error of [NaN, Infinity, -Infinity]) assert.equal(Number.isFinite(cost(error)), false);
  });
}
