import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from '../../src/codecs/json-codec.ts';
import { recordBlock } from '../support/blocks.ts';
import { decodeValues, reasonsOf } from './decode-values.ts';

const codec = jsonCodec({
  plan: { numbers: ['a.b', 'n'], texts: ['s'], times: ['t'] },
  limits: { valueBytes: 500_000, depth: 4 },
});

test('wanted fields are found by dotted path; a key that is not there is missing', async () => {
  const { columns, rejected } = await decodeValues(codec, [
    '{"a":{"b":1.5,"x":[1]},"n":true,"s":"x","t":"1970-01-01T00:00:01Z"}',
    '{"a":{"b":null},"s":7,"t":1500.5}',
    '{"a":null}',
    ' {} ',
  ]);
  assert.deepEqual(rejected, []);
  assert.deepEqual([...columns.numbers[0]!], [1.5, NaN, NaN, NaN]);
  assert.deepEqual([...columns.numbers[1]!], [1, NaN, NaN, NaN]);
  assert.deepEqual(columns.texts[0], ['x', '7', null, null]);
  assert.deepEqual([...columns.times[0]!], [1000, 1500, NaN, NaN]);
});

test('each kind of bad value has its reason', async () => {
  const cases = [
    [null, 'value.null'],
    ['', 'value.empty'],
    ['{', 'json.invalid'],
    ['{"n":NaN}', 'json.invalid'],
    ['{"n":1} x', 'json.invalid'],
    ['[1]', 'json.invalid'],
    ['null', 'json.invalid'],
    ['1', 'json.invalid'],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'json.invalid'],
    ['{"n":1e400}', 'field.notFinite'],
    ['{"n":"NaN"}', 'field.notFinite'],
    ['{"n":"1"}', 'field.type'],
    ['{"n":{}}', 'field.type'],
    ['{"a":5}', 'field.type'],
    ['{"a":[{"b":1}]}', 'field.type'],
    ['{"s":{}}', 'field.type'],
    ['{"t":"soon"}', 'field.type'],
    ['{"x":[[[[1]]]]}', 'json.tooDeep'],
    ['{"x":"[[[[[[[ \\" [[[["}', null],
    [`{"x":${'['.repeat(100_000)}`, 'json.tooDeep'],
    [`{"x":"${'x'.repeat(500_000)}"}`, 'value.tooLarge'],
  ] as const;
  const reasons = await reasonsOf(
    codec,
    cases.map(([value]) => value),
  );
  assert.deepEqual(
    reasons,
    cases.map(([, reason]) => reason),
  );
});

test('__proto__ and constructor are keys like any other', async () => {
  const odd = jsonCodec({
    plan: { numbers: ['__proto__.x', 'constructor.length'], texts: [], times: [] },
    limits: { valueBytes: 1000 },
  });
  const { columns } = await decodeValues(odd, ['{"__proto__":{"x":1}}', '{}']);
  assert.deepEqual([...columns.numbers[0]!], [1, NaN]);
  assert.deepEqual([...columns.numbers[1]!], [NaN, NaN]);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('there is nothing to load', () => {
  assert.equal(codec.prepare(recordBlock(['x']), new AbortController().signal), null);
});
