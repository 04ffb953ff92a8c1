import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RunningMoments } from '../../src/operators/running-moments.ts';

function learnAll(moments: RunningMoments, values: readonly number[]): void {
  moments.normalize(Float64Array.from(values), new Float32Array(values.length), values.length);
}

/** Mean and population variance in two passes. */
function twoPass(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

function near(actual: number, expected: number, scale: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * scale, `${actual} is not ${expected}`);
}

test('mean and variance agree with two passes, also far from zero', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0, 1e6),
      (spread, offset) => {
        const values = spread.map((value) => value + offset);
        const moments = new RunningMoments([true], 1e6);
        learnAll(moments, values);
        const expected = twoPass(values);
        const { count, mean, variance } = moments.moments(0);
        assert.equal(count, values.length);
        near(mean, expected.mean, 100 + offset);
        near(variance, expected.variance, 1e4 + offset);
      },
    ),
    { seed: 7, numRuns: 200 },
  );
});

test('beyond its memory it fades exponentially, as the explicit weighted sum does', () => {
  const memory = 10;
  const values = Array.from({ length: 60 }, (_, index) => Math.sin(index) * index);
  const moments = new RunningMoments([true], memory);
  learnAll(moments, values);
  let weights = values.slice(0, memory).map(() => 1 / memory);
  for (let count = memory; count < values.length; count += 1) {
    weights = [...weights.map((weight) => weight * (1 - 1 / memory)), 1 / memory];
  }
  const mean = values.reduce((sum, value, index) => sum + weights[index]! * value, 0);
  const variance = values.reduce((sum, value, index) => sum + weights[index]! * (value - mean) ** 2, 0);
  near(moments.moments(0).mean, mean, 100);
  near(moments.moments(0).variance, variance, 1000);
});

test('it never freezes: after a jump the mean arrives at the new level', () => {
  const moments = new RunningMoments([true], 50);
  learnAll(
    moments,
    Array.from({ length: 10_000 }, () => 0),
  );
  learnAll(
    moments,
    Array.from({ length: 2000 }, () => 10),
  );
  near(moments.moments(0).mean, 10, 1);
});

test('a missing value teaches nothing and becomes 0; a column that is not scaled passes', () => {
  const moments = new RunningMoments([true, false], 100);
  const rows = new Float32Array(6);
  moments.normalize(Float64Array.of(1, 0.5, 3, -1, NaN, NaN), rows, 3);
  assert.deepEqual([...rows], [0, 0.5, 1, -1, 0, 0]);
  assert.deepEqual(moments.moments(0), { count: 2, mean: 2, variance: 1 });
  const out = new Float32Array(2);
  moments.transform(Float64Array.of(4, -0.25), out, 0);
  assert.deepEqual([...out], [2, -0.25]);
});

test('without any spread a value is its distance from the mean', () => {
  const moments = new RunningMoments([true], 100);
  const out = new Float32Array(1);
  learnAll(moments, [5, 5, 5]);
  moments.transform(Float64Array.of(5), out, 0);
  assert.equal(out[0], 0);
  moments.transform(Float64Array.of(7), out, 0);
  assert.equal(out[0], 2);
});

test('the largest numbers that a codec lets through do not poison it', () => {
  const moments = new RunningMoments([true], 100);
  const out = new Float32Array(1);
  learnAll(moments, [1e150, -1e150, 1, 5e-324, ...Array.from({ length: 500 }, () => 1e150)]);
  moments.transform(Float64Array.of(-1e150), out, 0);
  assert.ok(Number.isFinite(out[0]));
});

test('a counter above 2^24 keeps its digits until it is standardized', () => {
  const moments = new RunningMoments([true], 1e6);
  const out = new Float32Array(1);
  const values = [0, 1, 2, 3].map((step) => 2 ** 40 + step);
  learnAll(moments, values);
  const { mean, variance } = twoPass([0, 1, 2, 3]);
  for (const [step, value] of values.entries()) {
    moments.transform(Float64Array.of(value), out, 0);
    assert.equal(out[0], Math.fround((step - mean) / Math.sqrt(variance)));
  }
});

test('restored in mid-stream it goes on bit by bit, and its snapshot is a copy', () => {
  const values = Array.from({ length: 100 }, (_, index) => Math.cos(index) * 1e5);
  const original = new RunningMoments([true], 30);
  learnAll(original, values.slice(0, 50));
  const snapshot = original.snapshot();
  learnAll(original, values.slice(50));
  const restored = new RunningMoments([true], 30);
  restored.restore(snapshot);
  learnAll(restored, values.slice(50));
  assert.deepEqual(restored.snapshot(), original.snapshot());
});

test('restored with a smaller memory it keeps mean and variance', () => {
  const original = new RunningMoments([true], 1000);
  learnAll(
    original,
    Array.from({ length: 500 }, (_, index) => index % 7),
  );
  const restored = new RunningMoments([true], 100);
  restored.restore(original.snapshot());
  assert.equal(restored.moments(0).count, 100);
  near(restored.moments(0).mean, original.moments(0).mean, 1);
  near(restored.moments(0).variance, original.moments(0).variance, 1);
  assert.throws(() => {
    new RunningMoments([true, true], 10).restore(original.snapshot());
  });
});
