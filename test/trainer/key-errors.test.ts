import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyErrors } from '../../src/trainer/key-errors.ts';
import { rowError } from '../../src/trainer/row-error.ts';

function add(errors: KeyErrors, keyIds: readonly number[], error: (row: number) => number, baseline = 1): void {
  errors.add(Int32Array.from(keyIds), keyIds.length, error, () => baseline);
}

test('the worst keys come first, with what the baseline makes of the same rows', () => {
  const errors = new KeyErrors();
  for (let batch = 0; batch < 20; batch += 1) add(errors, [1, 2, 3], (row) => [1, 5, 3][row]!, 4);
  const worst = errors.worst(0)!;
  assert.deepEqual(
    worst.map(({ keyId, error, baselineError, rows }) => [keyId, Math.round(error), Math.round(baselineError), rows]),
    [
      [2, 5, 4, 20],
      [3, 3, 4, 20],
      [1, 1, 4, 20],
    ],
  );
});

test('errors fade, so that a key that has become good is not among the worst for ever', () => {
  const errors = new KeyErrors();
  for (let row = 0; row < 1000; row += 1) add(errors, [7], () => 100);
  for (let row = 0; row < 500; row += 1) add(errors, [7], () => 1);
  assert.ok(errors.worst(0)![0]!.error < 2);
});

test('keys with few rows and predictions that are no number are left out; it is told four times a second', () => {
  const errors = new KeyErrors();
  for (let row = 0; row < 7; row += 1) add(errors, [1], () => 9);
  for (let row = 0; row < 50; row += 1) add(errors, [2], () => NaN);
  assert.deepEqual(errors.worst(0), []);
  assert.equal(errors.worst(249), null);
  add(errors, [1], () => 9);
  assert.equal(errors.worst(250)!.length, 1);
});

test('memory is bounded: of many keys those seen last are known, and forgotten ones are gone', () => {
  const errors = new KeyErrors();
  for (let key = 0; key < 40_000; key += 1) for (let row = 0; row < 8; row += 1) add(errors, [key], () => key);
  const worst = errors.worst(0)!;
  assert.equal(worst.length, 10);
  assert.equal(worst[0]!.keyId, 39_999);
  errors.forget(Int32Array.of(39_999));
  assert.equal(errors.worst(1000)![0]!.keyId, 39_998);
});

test('of a large batch a few rows are looked at, from its beginning to its end', () => {
  const errors = new KeyErrors();
  const rows: number[] = [];
  add(errors, new Array<number>(6400).fill(1), (row) => rows.push(row));
  assert.deepEqual([rows.length, rows[0], rows.at(-1)], [64, 0, 6300]);
});

test('an error is absolute, or 1 for another class', () => {
  const value = rowError('regression', 1);
  assert.equal(value(3, Float64Array.of(0, 5), 1), 2);
  const wrong = rowError('classification', 3);
  const shares = Float64Array.of(0.2, 0.5, 0.3, 0, 0, 0);
  assert.deepEqual(
    [0, 1, 2].map((label) => wrong(label, shares, 0)),
    [1, 0, 1],
  );
  assert.equal(wrong(0, shares, 1), 1);
});
