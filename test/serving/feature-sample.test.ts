import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featuresStatus, maxListed, type ShownFeature } from '../../src/serving/feature-report.ts';
import { earlierRows, FeatureSample, recentRows, sampledPerSecond } from '../../src/serving/feature-sample.ts';

/** A sample of features whose columns are their values, and a clock. */
function sampled(featureCount: number) {
  const clock = { ms: 0 };
  let seed = 1;
  const sample = new FeatureSample({
    featureCount,
    read: (columns, at, out) => {
      out.set(columns.subarray(at, at + featureCount));
    },
    now: () => clock.ms,
    // Park and Miller 1988.
    random: () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647,
  });
  const take = (...rows: number[][]): void => {
    sample.take({ rowCount: rows.length, featureCount, features: Float64Array.from(rows.flat()) });
  };
  return { sample, take, clock };
}

const plain = (name: string, isSensitive = false): ShownFeature => ({
  ...{ name, field: name, kind: 'plain', isSensitive },
  categories: () => [],
});

test('of many rows some are taken, evenly and at most so many a second', () => {
  const { sample, take, clock } = sampled(1);
  const rows = Array.from({ length: 10 * sampledPerSecond }, (_, index) => [index]);
  take(...rows);
  assert.deepEqual(
    [...sample.recent(0).values],
    Array.from({ length: sampledPerSecond }, (_, index) => 10 * index),
  );
  take(...rows);
  assert.equal(sample.taken, sampledPerSecond);
  clock.ms += 200;
  take(...rows);
  assert.equal(sample.taken, sampledPerSecond + 0.2 * sampledPerSecond);
});

test('the latest rows are whole, and those before are a uniform sample', () => {
  const { sample, take, clock } = sampled(1);
  const total = 50_000;
  for (let row = 0; row < total; row += 1) {
    clock.ms += 1000;
    take([row]);
  }
  const recent = sample.recent(0);
  assert.equal(recent.rows, recentRows);
  assert.equal(recent.values[0], total - recentRows);
  const { values, rows } = sample.earlier(0);
  assert.equal(rows, earlierRows);
  const mean = values.reduce((sum, value) => sum + value, 0) / rows;
  // Of a uniform sample of 2,000 among 49,000: 24,500 with a standard deviation of 316.
  assert.ok(Math.abs(mean - (total - recentRows) / 2) < 1300, `mean ${mean}`);
  assert.ok(values.every((value) => value < total - recentRows));
});

test('a shift shows as drift, missing values as their share, and what is sensitive shows no value', () => {
  const { sample, take, clock } = sampled(3);
  for (let row = 0; row < 3000; row += 1) {
    clock.ms += 1000;
    take([row < 2000 ? row % 10 : (row % 10) + 5, row % 4 === 0 ? Number.NaN : 1, 777]);
  }
  const { list, recentRows: shown, total } = featuresStatus([plain('a'), plain('b'), plain('c', true)], sample);
  const [a, b, c] = list;
  assert.deepEqual([shown, total, list.length], [recentRows, 3, 3]);
  assert.equal(a!.drift, 0.5);
  assert.deepEqual(a!.quantiles, [5, 10, 14]);
  assert.ok(Math.abs(a!.bins.reduce((sum, { recent }) => sum + recent, 0) - 1) < 0.02);
  assert.equal(b!.missing, 0.25);
  assert.equal(b!.drift, 0);
  assert.equal(c!.drift, 0);
  assert.ok(!JSON.stringify(c).includes('777'));
});

test('categories are named, the rest is other, and drift is the share that moved', () => {
  const { sample, take, clock } = sampled(1);
  for (let row = 0; row < 2000; row += 1) {
    clock.ms += 1000;
    take([row < 1000 ? row % 2 : 2]);
  }
  const feature: ShownFeature = { ...plain('site'), kind: 'oneHot', categories: () => ['north', 'south'] };
  const [{ bins, drift, quantiles } = assert.fail()] = featuresStatus([feature], sample).list;
  assert.deepEqual(
    bins.map(({ label, recent, earlier }) => [label, recent, earlier]),
    [
      ['other', 1, 0],
      ['north', 0, 0.5],
      ['south', 0, 0.5],
    ],
  );
  assert.deepEqual([drift, quantiles], [1, null]);
});

test('nothing seen, one value, and one wild value are fine; the list is bounded', () => {
  const { sample, take } = sampled(100);
  const many = Array.from({ length: 100 }, (_, index) => plain(`f${index}`));
  assert.deepEqual(featuresStatus(many, sample).list[0]?.bins, []);
  take(new Array<number>(100).fill(3));
  assert.equal(featuresStatus(many, sample).list[0]?.quantiles?.[1], 3);
  take(new Array<number>(100).fill(1e300));
  const { list, total } = featuresStatus(many, sample);
  assert.deepEqual([list.length, total, list[0]?.drift], [maxListed, 100, null]);
});
