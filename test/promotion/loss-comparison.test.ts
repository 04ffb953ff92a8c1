import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { blockCount, compareLosses, upperRank } from '../../src/promotion/loss-comparison.ts';
import { CounterRandom } from '../../src/sensors/counter-random.ts';

const floor = 1e-9;

/** Losses with mean 1 of `rows` rows; those of a block of `run` rows are alike. */
function losses(rows: number, seed: number, run = 1): Float64Array {
  const random = new CounterRandom(seed);
  return Float64Array.from({ length: rows }, (_, row) => -Math.log(1 - random.uniform(0, Math.floor(row / run))));
}

suite('upperRank', () => {
  test('is what tables of the binomial distribution say of 20 blocks', () => {
    // P(Bin(20, ½) ≤ 12) = 0.8684, ≤ 13: 0.9423, ≤ 14: 0.9793, ≤ 15: 0.9941 (Conover, table A3).
    assert.deepEqual([0.5, 0.86, 0.9, 0.94, 0.95, 0.979, 0.99, 0.995].map(upperRank), [11, 13, 14, 14, 15, 15, 16, 17]);
  });
});

suite('compareLosses', () => {
  test('of a version with itself is no difference', () => {
    const own = losses(1000, 1);
    const { rows, loss, otherLoss, change, atLeast, atMost } = compareLosses(own, own, floor, 0.95);
    assert.deepEqual([rows, change, atLeast, atMost], [1000, 0, 0, 0]);
    assert.equal(loss, otherLoss);
  });

  test('finds by what fraction losses lie above', () => {
    const own = losses(1000, 1);
    const { change, atLeast, atMost } = compareLosses(
      own.map((each) => 1.3 * each),
      own,
      0,
      0.95,
    );
    for (const value of [change, atLeast, atMost]) assert.ok(Math.abs(value - 0.3) < 1e-12, `${value}`);
  });

  test('its bounds hold the true difference as often as they say, for rows that follow each other closely too', () => {
    for (const run of [1, 10]) {
      const trials = 400;
      let above = 0;
      for (let seed = 0; seed < trials; seed += 1) {
        const own = losses(2000, 2 * seed, run);
        const noise = new CounterRandom(2 * seed + 1);
        const version = own.map((each, row) => each + 0.3 * noise.normal(0, Math.floor(row / run)));
        if (compareLosses(version, own, 0, 0.95).atMost < 0) above += 1;
      }
      // The bound lies below the truth in 2.1 % of all cases (rank 15 of 20): 8.3 of 400, 5 deviations above it 22.
      assert.ok(above <= 22, `${above} of ${trials} with runs of ${run}`);
    }
  });

  test('is not moved by losses far off, nor by a run of them shorter than a few blocks', () => {
    const own = losses(1000, 3);
    const worse = own.map((each) => 2 * each);
    const spoiled = own.map((each, row) => (row < 150 || row % 400 === 399 ? 1e9 : each));
    const { change, atMost } = compareLosses(worse, spoiled, floor, 0.95);
    assert.ok(change > 0.9 && atMost > 0.9, `${change}, ${atMost}`);
  });

  test('takes predictions that are not finite for the worst, and where both fail for no difference', () => {
    const own = losses(1000, 4);
    const broken = own.map(() => Infinity);
    assert.equal(compareLosses(broken, own, floor, 0.95).atLeast, Number.MAX_VALUE);
    assert.equal(compareLosses(own, broken, floor, 0.95).atMost, -1);
    assert.equal(compareLosses(broken, broken, floor, 0.95).change, 0);
  });

  test('finds no difference between losses far below what matters', () => {
    const own = losses(1000, 5).map((each) => 1e-12 * each);
    const { change, atMost } = compareLosses(
      own.map((each) => 50 * each),
      own,
      1e-6,
      0.95,
    );
    assert.ok(change < 1e-3 && atMost < 1e-3, `${change}, ${atMost}`);
  });

  test('uses every row, where they are no multiple of the blocks as well', () => {
    const rows = 5 * blockCount + 7;
    const { rows: counted, loss } = compareLosses(losses(rows, 6), losses(rows, 7), floor, 0.95);
    assert.equal(counted, rows);
    assert.ok(Math.abs(loss - losses(rows, 6).reduce((sum, each) => sum + each, 0) / rows) < 1e-12);
  });
});
