import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SchemaStore } from '../../src/codecs/avro-codec.ts';
import { avroCodec } from '../../src/codecs/avro-codec.ts';
import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import type { RejectReason } from '../../src/records.ts';
import { rejectReasons } from '../../src/records.ts';
import { recordBlock } from '../support/blocks.ts';
import { double, framed, long, text } from './avro-bytes.ts';
import { decodeBlock, decodeValues, reasonsOf } from './decode-values.ts';

const schema = JSON.stringify({
  type: 'record',
  name: 'Reading',
  fields: [
    { name: 'site', type: ['null', 'string'] },
    { name: 'temp', type: ['null', 'double'] },
    { name: 'count', type: 'long' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'serial', type: 'long' },
    { name: 'spectrum', type: { type: 'array', items: 'double' } },
    { name: 'tags', type: { type: 'map', values: 'string' } },
  ],
});

const limits = { valueBytes: 65536, arrayItems: 1000 };
const plan = { numbers: ['temp', 'count'], texts: ['site'], times: ['at'] };

/** Schemas in memory that count how often each id is asked for. */
function store(schemas: Readonly<Record<number, string>>): SchemaStore & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    schema(id) {
      asked.push(id);
      return Promise.resolve(schemas[id] ?? null);
    },
  };
}

const codec = avroCodec({ plan, schemas: store({ 1: schema }), limits });
const encode = avroEncoder(schema, 1);
const reading = { site: 'EWR', temp: 39.02, count: 7, at: 1_500_999, serial: 1, spectrum: [1, 2], tags: { a: 'b' } };
const head = [long(1), text('EWR'), long(1), double(1)];
const noLists = [long(0), long(0)];

test('wanted fields become columns; null is missing', async () => {
  const { columns, rejected } = await decodeValues(codec, [
    encode(reading),
    encode({ ...reading, site: null, temp: null, count: -8 }),
  ]);
  assert.deepEqual(rejected, []);
  assert.deepEqual([...columns.numbers[0]!], [39.02, NaN]);
  assert.deepEqual([...columns.numbers[1]!], [7, -8]);
  assert.deepEqual(columns.texts[0], ['EWR', null]);
  assert.deepEqual([...columns.times[0]!], [1500, 1500]);
});

test('each kind of poison has its reason, and the good records between them are untouched', async () => {
  const good = encode(reading);
  const list = (count: number | bigint): Buffer => framed(1, ...head, long(7), long(0), long(0), long(count));
  const map = (count: number | bigint): Buffer => framed(1, ...head, long(7), long(0), long(0), long(0), long(count));
  const count = (value: number | bigint): Buffer => framed(1, ...head, long(value), long(0), long(0), ...noLists);
  const temp = (value: number): Buffer =>
    framed(1, long(0), long(1), double(value), long(7), long(0), long(0), ...noLists);
  const cases: readonly (readonly [Buffer | null, RejectReason | null])[] = [
    [null, 'value.null'],
    [Buffer.alloc(0), 'value.empty'],
    [good.subarray(0, 1), 'frame.short'],
    [good.subarray(0, 4), 'frame.short'],
    [Buffer.from([1, 0, 0, 0, 1, 0]), 'frame.magic'],
    [Buffer.from('{"temp":1}'), 'frame.magic'],
    [Buffer.from('plain text'), 'frame.magic'],
    [framed(0, good.subarray(5)), 'schema.unknown'],
    [framed(-1, good.subarray(5)), 'schema.unknown'],
    [framed(2 ** 31 - 1, good.subarray(5)), 'schema.unknown'],
    [framed(1), 'avro.truncated'],
    [Buffer.concat([good, Buffer.from([0])]), 'avro.trailing'],
    [framed(1, long(9)), 'avro.invalid'],
    [framed(1, long(-1)), 'avro.invalid'],
    [framed(1, long(1), long(-1)), 'avro.invalid'],
    [framed(1, long(1), long(2n ** 31n)), 'avro.truncated'],
    [framed(1, long(1), long(2n ** 40n)), 'avro.truncated'],
    [list(5e7), 'avro.tooMany'],
    [list(4e8), 'avro.tooMany'],
    [map(1e8), 'avro.tooMany'],
    [framed(1, ...head, long(7), long(0), long(0), long(-1), long(3), double(1), ...noLists), 'avro.invalid'],
    [count(2n ** 60n), 'field.type'],
    [framed(1, ...head, Buffer.alloc(11, 0x80), ...noLists), 'avro.invalid'],
    [temp(NaN), 'field.notFinite'],
    [temp(Infinity), 'field.notFinite'],
    [temp(-Infinity), 'field.notFinite'],
    [temp(1e308), 'field.notFinite'],
    [temp(1e30), null],
    [temp(5e-324), null],
    [framed(1, long(1), long(2), Buffer.from([0xc3, 0x28])), 'avro.invalid'],
    [framed(1, ...head, long(7), long(2n ** 63n - 1n), long(0), ...noLists), 'avro.invalid'],
    [encode({ ...reading, site: 'x'.repeat(65536) }), 'value.tooLarge'],
    [encode({ ...reading, site: '"}\n{' }), null],
  ];
  const values = cases.flatMap(([value]) => [value, good]);
  const reasons = await reasonsOf(codec, values);
  for (const [index, [, expected]] of cases.entries()) {
    assert.equal(reasons[2 * index], expected, `case ${index}`);
    assert.equal(reasons[2 * index + 1], null, `the good record behind case ${index}`);
  }
});

test('a message cut at any byte is truncated or short, never more', async () => {
  const good = encode(reading);
  const cuts = Array.from({ length: good.length - 1 }, (_, index) => good.subarray(0, index + 1));
  const reasons = await reasonsOf(codec, cuts);
  assert.deepEqual(new Set(reasons), new Set(['frame.short', 'avro.truncated']));
});

test('a wanted long is exact up to 2^53, on both sides of zero', async () => {
  const counts = [2 ** 52 - 1, 2 ** 52, 2 ** 53 - 1].flatMap((count) => [count, -count]);
  const values = counts.map((count) => framed(1, ...head, long(count), long(0), long(0), ...noLists));
  const { columns } = await decodeValues(codec, values);
  assert.deepEqual([...columns.numbers[1]!], counts);
  const beyond = [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n].map((count) =>
    framed(1, ...head, long(count), long(0), long(0), ...noLists),
  );
  assert.deepEqual(await reasonsOf(codec, beyond), Array(3).fill('field.type'));
});

test('a long beyond 2^53 that nobody wants costs no record', async () => {
  const value = framed(1, ...head, long(7), long(0), long(2n ** 62n), ...noLists);
  assert.deepEqual(await reasonsOf(codec, [value]), [null]);
});

test('a map key __proto__ does no harm', async () => {
  const value = framed(1, ...head, long(7), long(0), long(0), long(0), long(1), text('__proto__'), text('x'), long(0));
  assert.deepEqual(await reasonsOf(codec, [value]), [null]);
  const byMap = avroCodec({
    plan: { numbers: [], texts: ['tags.__proto__', 'tags.polluted'], times: [] },
    schemas: store({ 1: schema }),
    limits,
  });
  const { columns } = await decodeValues(byMap, [value]);
  assert.deepEqual(columns.texts[1], [null]);
});

test('a field that the writer schema lacks rejects its records and names the field', async () => {
  const other = avroCodec({
    plan: { numbers: ['temp', 'nothing'], texts: [], times: [] },
    schemas: store({ 1: schema }),
    limits,
  });
  const { rejected } = await decodeValues(other, [encode(reading)]);
  assert.equal(rejected[0]?.reason, 'field.type');
  assert.match(rejected[0].detail, /no field nothing/);
});

test('a field of the wrong type is told with its value', async () => {
  const other = avroCodec({
    plan: { numbers: ['site', 'spectrum'], texts: [], times: [] },
    schemas: store({ 1: schema }),
    limits,
  });
  const { rejected } = await decodeValues(other, [encode(reading), encode({ ...reading, site: null })]);
  assert.deepEqual(
    rejected.map(({ reason, detail }) => [reason, detail]),
    [
      ['field.type', 'site: "EWR"'],
      ['field.type', 'spectrum: no single value'],
    ],
  );
});

test('a schema that cannot be parsed makes its id unknown', async () => {
  const broken = avroCodec({ plan, schemas: store({ 1: '{"type":"object"}' }), limits });
  const { rejected } = await decodeValues(broken, [encode(reading)]);
  assert.equal(rejected[0]?.reason, 'schema.unknown');
  assert.match(rejected[0].detail, /schema 1: this is no Avro schema/);
});

test('an id is asked for once; an unknown one again after a while', async () => {
  let nowMs = 0;
  const schemas = store({ 1: schema });
  const cached = avroCodec({ plan, schemas, limits, unknownForMs: 1000, now: () => nowMs });
  const block = recordBlock([encode(reading), framed(7, long(0)), encode(reading), framed(7, long(0))]);
  const signal = new AbortController().signal;
  assert.notEqual(cached.prepare(block, signal), null);
  await decodeBlock(cached, block);
  const asked = schemas.asked.length;
  assert.equal(cached.prepare(block, signal), null);
  nowMs = 1000;
  await decodeBlock(cached, block);
  assert.deepEqual(schemas.asked.slice(asked), [7]);
});

test('more ids in one block than the cache holds cost no record', async () => {
  const ids = Array.from({ length: 50 }, (_, index) => index + 1);
  const schemas = store(Object.fromEntries(ids.map((id) => [id, schema])));
  const small = avroCodec({ plan, schemas, limits, cachedSchemas: 3 });
  const { columns, rejected } = await decodeValues(
    small,
    ids.map((id) => avroEncoder(schema, id)(reading)),
  );
  assert.equal(columns.rowCount, 50);
  assert.deepEqual(rejected, []);
});

test('what the store throws, prepare throws', async () => {
  const failing = avroCodec({ plan, schemas: { schema: () => Promise.reject(new Error('away')) }, limits });
  const loading = failing.prepare(recordBlock([encode(reading)]), new AbortController().signal);
  await assert.rejects(loading ?? Promise.resolve(), /away/);
});

test('whatever bytes arrive, each record is a row of finite or missing values or one typed reject', async () => {
  const good = encode(reading);
  await codec.prepare(recordBlock([good]), new AbortController().signal);
  const mutation = fc.oneof(
    fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) }).map(({ at, byte }) => {
      const bytes = Buffer.from(good);
      bytes[at] = byte;
      return bytes;
    }),
    fc.nat(good.length).map((length) => good.subarray(0, length)),
    fc
      .record({ at: fc.integer({ min: 5, max: good.length }), more: fc.uint8Array({ maxLength: 12 }) })
      .map(({ at, more }) => Buffer.concat([good.subarray(0, at), more, good.subarray(at)])),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([good.subarray(0, 5), bytes])),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((count) => framed(1, ...head, long(1), long(1), long(1), long(count))),
  );
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 20 }), (values) => {
      const block = recordBlock(values);
      const rejected: number[] = [];
      const { rowCount, recordIndexes, numbers, times } = codec.decode(block, (index, reason) => {
        assert.ok(rejectReasons.includes(reason));
        rejected.push(index);
      });
      assert.deepEqual(
        [...recordIndexes, ...rejected].sort((a, b) => a - b),
        [...values.keys()],
      );
      assert.equal(recordIndexes.length, rowCount);
      for (const column of [...numbers, ...times]) {
        for (const value of column) assert.ok(Number.isFinite(value) || Number.isNaN(value));
      }
    }),
    { seed: 20131, numRuns: 3000 },
  );
});
