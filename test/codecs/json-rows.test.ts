import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonRows } from '../../src/codecs/json-rows.ts';

const plan = { numbers: ['a.b', 'n', 'later'], texts: ['s', 'key'], times: ['t'] };
const read = jsonRows(plan, [
  { name: 'a.b', isRequired: false },
  { name: 'n', isRequired: false },
  { name: 's', isRequired: false },
  { name: 'key', isRequired: true },
]);

test('objects become rows as records do; what is not asked for is not looked at', () => {
  const { columns, faults, missing } = read([
    { a: { b: 1.5 }, n: true, s: 7, key: 'k', later: 'not a number', t: 'soon', other: {} },
    { a: { b: null }, key: 12 },
  ]);
  assert.deepEqual(faults, []);
  assert.deepEqual(missing, [[], ['a.b', 'n', 's']]);
  assert.deepEqual(
    columns.numbers.map((column) => [...column]),
    [
      [1.5, NaN],
      [1, NaN],
      [NaN, NaN],
    ],
  );
  assert.deepEqual(columns.texts, [
    ['7', null],
    ['k', '12'],
  ]);
});

test('each field that does not fit is named with its row, what was expected and what was found', () => {
  const number = 'a number within ±1e+150, true or false';
  const text = 'text, a number, true or false';
  const { faults } = read([
    { n: '1', s: {}, key: 'k' },
    { n: 1e200, a: { b: [] } },
    null,
    { key: '' },
    JSON.parse('{"key":"k","n":1e400,"__proto__":{"s":[]}}'),
  ]);
  assert.deepEqual(faults, [
    { row: 0, field: 'n', expected: number, found: '"1"' },
    { row: 0, field: 's', expected: text, found: 'no single value' },
    { row: 1, field: 'a.b', expected: number, found: 'no single value' },
    { row: 1, field: 'n', expected: number, found: '1e+200' },
    { row: 1, field: 'key', expected: text, found: 'nothing' },
    { row: 2, field: '', expected: 'an object of fields by name', found: 'null' },
    { row: 3, field: 'key', expected: text, found: 'nothing' },
    { row: 4, field: 'n', expected: number, found: 'Infinity' },
  ]);
});

test('however deep a value is nested, it is only looked at where a field is', () => {
  const depth = 100_000;
  const { faults } = read([JSON.parse(`{"key":"k","n":${'['.repeat(depth)}${']'.repeat(depth)}}`)]);
  assert.deepEqual(
    faults.map(({ field, found }) => [field, found]),
    [['n', 'no single value']],
  );
});

test('of many faults the first twenty are told', () => {
  assert.equal(read(Array.from({ length: 100 }, () => ({}))).faults.length, 20);
});
