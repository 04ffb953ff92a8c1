import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeCyclic, writeOneHot, writePlain } from '../../src/operators/feature-writers.ts';
import { NameTable } from '../../src/operators/name-table.ts';

const places = (out: Float64Array, indexes: readonly number[], stride: number) => ({
  count: indexes.length,
  indexes: Int32Array.from(indexes),
  out,
  stride,
});

test('values of the rows that stay go to one column, and missing ones are counted', () => {
  const out = new Float64Array(4).fill(7);
  assert.equal(writePlain(Float64Array.of(1, 2, NaN), places(out, [0, 2], 2), 1), 1);
  assert.deepEqual([...out], [7, 1, 7, NaN]);
});

test('a point of a circle is two columns', () => {
  const out = new Float64Array(4);
  assert.equal(writeCyclic(Float64Array.of(NaN, 90), 360, places(out, [1, 0], 2), 0), 1);
  assert.deepEqual([...out], [1, Math.cos(Math.PI / 2), NaN, NaN]);
});

test('names get their columns by first appearance, the rest shares the last; looking gives none', () => {
  const table = new NameTable(1);
  const names = ['a', 'b', null, 'a'];
  const out = new Float64Array(8).fill(7);
  writeOneHot(names, table, false, places(out, [1], 2), 0);
  assert.deepEqual([[...out.subarray(0, 2)], table.size], [[1, 0], 0]);
  assert.equal(writeOneHot(names, table, true, places(out, [0, 1, 2, 3], 2), 0), 1);
  assert.deepEqual([...out], [1, 0, 0, 1, 0, 0, 1, 0]);
});
