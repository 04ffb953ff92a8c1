import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeatureSpec } from '../../src/operators/feature-plan.ts';
import { featureReader } from '../../src/operators/feature-values.ts';

const features: readonly FeatureSpec[] = [
  { name: 'temp', field: 'temp', kind: 'plain' },
  { name: 'hour', field: 'hour', kind: 'cyclic', period: 24 },
  { name: 'site', field: 'site', kind: 'oneHot', max: 2 },
  { name: 'before', field: 'temp', kind: 'lag', rows: 1 },
];

const circle = (hour: number): number[] => [Math.sin((2 * Math.PI * hour) / 24), Math.cos((2 * Math.PI * hour) / 24)];

test('one value a feature, as it was before it was spread over columns', () => {
  const read = featureReader(features);
  const rows = Float64Array.of(...[21.5, ...circle(23), 0, 1, 0, 20], ...[1, ...circle(0), 0, 0, 1, 2]);
  const out = new Float64Array(4);
  read(rows, 0, out);
  assert.deepEqual(
    [...out].map((value) => Math.round(value * 1e9) / 1e9),
    [21.5, 23, 1, 20],
  );
  read(rows, 7, out);
  assert.deepEqual([...out], [1, 0, 2, 2]);
});

test('missing stays missing', () => {
  const out = new Float64Array(4);
  featureReader(features)(Float64Array.of(NaN, NaN, NaN, 0, 0, 0, NaN), 0, out);
  assert.deepEqual([...out], [NaN, NaN, NaN, NaN]);
});
