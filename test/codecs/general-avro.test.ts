import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import { parseAvroSchema } from '../../src/codecs/avro-schema.ts';
import { GeneralAvro } from '../../src/codecs/general-avro.ts';
import { RowSink } from '../../src/codecs/row-sink.ts';
import type { FieldPlan, RejectReason } from '../../src/records.ts';
import { double, long, text } from './avro-bytes.ts';

const limits = { arrayItems: 1000, depth: 32 };

function reason(schema: object, plan: Partial<FieldPlan>, datum: Buffer): RejectReason | null {
  const whole = { numbers: [], texts: [], times: [], ...plan };
  const general = new GeneralAvro(parseAvroSchema(JSON.stringify(schema)), whole, limits);
  const fault = general.scan(datum, 0, datum.length);
  return fault ?? general.read(datum, 0, new RowSink(whole, 1))?.reason ?? null;
}

const one = (type: unknown): object => ({ type: 'record', name: 'R', fields: [{ name: 'x', type }] });
const time = { type: 'long', logicalType: 'timestamp-micros' };

/** What avsc takes and we do not: the whole list. */
const refused: readonly (readonly [what: string, type: unknown, datum: readonly Buffer[], reason: RejectReason])[] = [
  ['an int beyond 32 bits', 'int', [long(2n ** 40n)], 'avro.invalid'],
  ['a boolean that is neither 0 nor 1', 'boolean', [Buffer.from([7])], 'avro.invalid'],
  ['text that is no UTF-8', 'string', [long(2), Buffer.from([0xc3, 0x28])], 'avro.invalid'],
  ['a varint of more than ten bytes', 'long', [Buffer.alloc(11, 0x80), Buffer.from([0])], 'avro.invalid'],
  ['more items than the limit', { type: 'array', items: 'null' }, [long(1001), long(0)], 'avro.tooMany'],
  [
    'a block of another size than it says',
    { type: 'array', items: 'int' },
    [long(-1), long(5), long(1), long(0)],
    'avro.invalid',
  ],
  ['not a number', 'double', [double(NaN)], 'field.notFinite'],
  ['infinity', 'double', [double(Infinity)], 'field.notFinite'],
];

test('what avsc takes on trust is refused, each with its reason', () => {
  for (const [what, type, datum, expected] of refused) {
    const schema = one(type);
    const bytes = Buffer.concat(datum);
    const plan = expected === 'field.notFinite' ? { numbers: ['x'] } : {};
    avro.Type.forSchema(schema as avro.Schema).decode(bytes, 0);
    assert.equal(reason(schema, plan, bytes), expected, what);
  }
});

test('what follows the datum is refused even where avsc is told not to look', () => {
  const bytes = Buffer.concat([long(1), Buffer.from([0])]);
  avro.Type.forSchema(one('int') as avro.Schema).fromBuffer(bytes, undefined, true);
  assert.equal(reason(one('int'), {}, bytes), 'avro.trailing');
});

/** What avsc refuses, or gets wrong, and we take. */
test('a time is exact from 2^52 on, and beyond 2^53 costs a record only where it is wanted', () => {
  const sink = new RowSink({ numbers: [], texts: [], times: ['x'] }, 1);
  const general = new GeneralAvro(
    parseAvroSchema(JSON.stringify(one(time))),
    { numbers: [], texts: [], times: ['x'] },
    limits,
  );
  assert.equal(general.read(long(-(2n ** 52n) - 1000n), 0, sink), null);
  sink.commit(0);
  assert.equal(sink.columns().times[0]?.[0], Math.floor((-(2 ** 52) - 1000) / 1000));
  const beyond = long(2n ** 60n);
  assert.throws(() => {
    avro.Type.forSchema(one('long') as avro.Schema).decode(beyond, 0);
  });
  assert.equal(reason(one(time), {}, beyond), null);
  assert.equal(reason(one(time), { times: ['x'] }, beyond), 'avro.invalid');
  assert.equal(reason(one(time), { numbers: ['x'] }, beyond), 'field.type');
});

test('a way that is barred by bytes is barred, not missing', () => {
  const inner = { type: 'record', name: 'I', fields: [{ name: 'y', type: 'int' }] };
  const schema = one(['bytes', inner]);
  assert.equal(reason(schema, { numbers: ['x.y'] }, Buffer.concat([long(1), long(5)])), null);
  assert.equal(reason(schema, { numbers: ['x.y'] }, Buffer.concat([long(0), text('abc')])), 'field.type');
});
