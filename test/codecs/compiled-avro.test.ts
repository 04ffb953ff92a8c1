import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAvroSchema } from '../../src/codecs/avro-schema.ts';
import { viewOf } from '../../src/codecs/avro-frame.ts';
import { compiledAvro } from '../../src/codecs/compiled-avro.ts';
import { GeneralAvro } from '../../src/codecs/general-avro.ts';
import { RowSink } from '../../src/codecs/row-sink.ts';
import { TextCache } from '../../src/codecs/text-cache.ts';
import type { DecodedColumns, FieldPlan } from '../../src/records.ts';
import { recordBlock } from '../support/blocks.ts';
import { framed, long, text } from './avro-bytes.ts';
import { Choices, GeneratedDatum, GeneratedSchema, mutated, type Schema } from './avro-generator.ts';

const limits = { arrayItems: 20, depth: 6 };
const valueBytes = 65_536;
const messages = Number(process.env['MILLRACE_FUZZ_MESSAGES'] ?? 20_000);
const messagesPerSchema = 50;

type ReadAll = (values: readonly Buffer[]) => DecodedColumns;

/** The compiled way and the general way of reading records of a schema; null where it is not compiled. */
function bothWays(schema: Schema, plan: FieldPlan): { compiled: ReadAll; general: ReadAll } | null {
  const type = parseAvroSchema(JSON.stringify(schema));
  const oracle = new GeneralAvro(type, plan, limits);
  const readRun = compiledAvro(
    type,
    plan,
    limits,
    plan.texts.map(() => new TextCache()),
  );
  if (readRun === null) return null;
  return {
    compiled(values) {
      const block = recordBlock(values);
      const sink = new RowSink(plan, values.length);
      for (let index = 0; index < values.length;) {
        const before = sink.rowCount;
        readRun(block, viewOf(block), index, 1, valueBytes, sink);
        // What is not read is passed over: nothing of it may be seen in the rows behind it.
        index += Math.max(1, sink.rowCount - before);
      }
      return sink.columns();
    },
    general(values) {
      const { bytes, valueStarts, valueLengths } = recordBlock(values);
      const sink = new RowSink(plan, values.length);
      for (const [index] of values.entries()) {
        const start = valueStarts[index]! + 5;
        const fault = oracle.scan(bytes, start, start - 5 + valueLengths[index]!);
        if (fault === null && oracle.read(bytes, start, sink) === null) sink.commit(index);
      }
      return sink.columns();
    },
  };
}

function valuesOf({ recordIndexes, numbers, texts, times }: DecodedColumns): unknown {
  const plain = (columns: readonly Float64Array[]): number[][] => columns.map((column) => [...column]);
  return { records: [...recordIndexes], numbers: plain(numbers), texts, times: plain(times) };
}

test(`${messages} generated and damaged messages: the compiled reader takes what the general way takes, with the same values`, (t) => {
  let compiledSchemas = 0;
  let generalSchemas = 0;
  let taken = 0;
  for (let seed = 1; compiledSchemas * messagesPerSchema < messages; seed += 1) {
    const choices = new Choices(seed);
    const { schema, plan } = new GeneratedSchema(choices);
    const ways = bothWays(schema, plan);
    if (ways === null) {
      generalSchemas += 1;
      continue;
    }
    compiledSchemas += 1;
    const datum = new GeneratedDatum(schema, choices);
    const values = Array.from({ length: messagesPerSchema }, () => framed(1, mutated(datum.bytes(), choices)));
    const expected = valuesOf(ways.general(values));
    const actual = valuesOf(ways.compiled(values));
    assert.deepEqual(actual, expected, `seed ${seed}: ${JSON.stringify(schema)} ${JSON.stringify(plan)}`);
    taken += ways.general(values).rowCount;
  }
  const compared = compiledSchemas * messagesPerSchema;
  t.diagnostic(`${compared} messages of ${compiledSchemas} schemas compared, ${taken} of them good`);
  t.diagnostic(`${generalSchemas} schemas are left to the general way`);
  assert.ok(taken > compared / 4 && taken < (3 * compared) / 4, `${taken} of ${compared} are good`);
  assert.ok(generalSchemas < compiledSchemas / 4, `${generalSchemas} schemas are not compiled`);
});

const field = (name: string, type: Schema): object => ({ name, type });
const record = (name: string, ...fields: readonly object[]): Schema => ({ type: 'record', name, fields });

function rows(schema: Schema, plan: Partial<FieldPlan>, ...values: readonly Buffer[]): DecodedColumns | null {
  const ways = bothWays(schema, { numbers: [], texts: [], times: [], ...plan });
  return ways?.compiled(values) ?? null;
}

test('a field may be wanted more than once, as different things', () => {
  const schema = record('R', field('at', { type: 'long', logicalType: 'timestamp-micros' }), field('s', 'string'));
  const columns = rows(
    schema,
    { numbers: ['at', 'at'], texts: ['at', 's', 's'], times: ['s', 'at'] },
    framed(1, long(1_500_999), text('1970-01-02')),
  );
  assert.deepEqual(columns?.numbers, [Float64Array.of(1_500_999), Float64Array.of(1_500_999)]);
  assert.deepEqual(columns.texts, [['1500999'], ['1970-01-02'], ['1970-01-02']]);
  assert.deepEqual(columns.times, [Float64Array.of(86_400_000), Float64Array.of(1500)]);
});

test('a rejected record leaves nothing in the rows behind it', () => {
  const schema = record('R', field('s', ['null', 'string']), field('x', ['null', 'int']));
  const good = framed(1, long(0), long(0));
  const bad = framed(1, long(1), text('half'), long(1), long(2n ** 31n));
  const columns = rows(schema, { numbers: ['x'], texts: ['s'] }, good, bad, good, bad);
  assert.deepEqual(columns?.recordIndexes, Int32Array.of(0, 2));
  assert.deepEqual(columns.numbers, [Float64Array.of(NaN, NaN)]);
  assert.deepEqual(columns.texts, [[null, null]]);
});

test('what lies in a map, in several records of a union, or too deep goes the general way', () => {
  const map = record('R', field('m', { type: 'map', values: 'int' }));
  assert.equal(rows(map, { numbers: ['m.k'] }), null);
  const several = record(
    'R',
    field('u', [record('A', field('x', 'int')), record('B', field('x', 'int'), field('y', 'int'))]),
  );
  assert.equal(rows(several, { numbers: ['u.x'] }), null);
  assert.notEqual(rows(several, { numbers: ['u.y'] }), null);
  const list = record('R', field('next', ['null', 'R']), field('x', 'int'));
  assert.notEqual(rows(list, { numbers: ['next.next.next.next.next.x'] }), null);
  assert.equal(rows(list, { numbers: ['next.next.next.next.next.next.x'] }), null);
});

test('a schema of a thousand fields is read by functions that call one another', () => {
  const names = Array.from({ length: 500 }, (_, index) => `f${index}`);
  const inner = record('Inner', ...names.map((name) => field(name, 'long')));
  const schema = record('R', ...names.map((name) => field(name, ['null', 'long'])), field('inner', ['null', inner]));
  const value = framed(1, ...names.flatMap((_, index) => [long(1), long(index)]), long(1), ...names.map(() => long(7)));
  const numbers = ['f0', 'f499', 'inner.f0', 'inner.f499'];
  const columns = rows(schema, { numbers }, value, value.subarray(0, -1), value);
  assert.deepEqual(columns?.recordIndexes, Int32Array.of(0, 2));
  assert.deepEqual(
    columns.numbers.map((column) => [...column]),
    [
      [0, 0],
      [499, 499],
      [7, 7],
      [7, 7],
    ],
  );
});
