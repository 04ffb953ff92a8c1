import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAvroSchema } from '../../src/codecs/avro-schema.ts';
import { AvroScanner } from '../../src/codecs/avro-scan.ts';
import { double, float, long, text } from './avro-bytes.ts';

const limits = { arrayItems: 1000, depth: 32 };

function fault(schema: unknown, ...parts: readonly Buffer[]): string | null {
  const bytes = Buffer.concat([Buffer.from([9, 9]), ...parts, Buffer.from([9])]);
  return new AvroScanner(parseAvroSchema(JSON.stringify(schema)), limits).fault(bytes, 2, bytes.length - 1);
}

const list = { type: 'array', items: 'double' };
const tree = {
  type: 'record',
  name: 'Tree',
  fields: [{ name: 'children', type: { type: 'array', items: 'Tree' } }],
};

test('a sound datum of every type passes, and ends exactly where it should', () => {
  const record = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: 'null' },
      { name: 'b', type: 'boolean' },
      { name: 'c', type: 'int' },
      { name: 'd', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'e', type: 'float' },
      { name: 'f', type: 'double' },
      { name: 'g', type: 'bytes' },
      { name: 'h', type: 'string' },
      { name: 'i', type: { type: 'fixed', name: 'F', size: 3 } },
      { name: 'j', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } },
      { name: 'k', type: list },
      { name: 'l', type: { type: 'map', values: 'int' } },
      { name: 'm', type: ['null', 'int', 'long'] },
    ],
  };
  const datum = [
    Buffer.from([1]),
    long(-2147483648),
    long(2n ** 60n),
    float(1),
    double(1),
    long(2),
    Buffer.from([1, 2]),
    text('zwölf'),
    Buffer.from([1, 2, 3]),
    long(1),
    long(2),
    double(1),
    double(2),
    long(0),
    long(-1),
    long(3),
    text('x'),
    long(5),
    long(0),
    long(2),
    long(7),
  ];
  assert.equal(fault(record, ...datum), null);
  assert.equal(fault(record, ...datum, Buffer.from([0])), 'avro.trailing');
  const whole = Buffer.concat(datum);
  for (let length = 0; length < whole.length; length += 1) {
    assert.equal(fault(record, whole.subarray(0, length)), 'avro.truncated', `cut at ${length}`);
  }
});

test('counts are not taken on trust, whatever the items weigh', () => {
  for (const count of [1001, 5e7, 4e8, 2 ** 40, 2n ** 62n]) {
    assert.equal(fault(list, long(count)), 'avro.tooMany', `array of ${count}`);
    assert.equal(fault({ type: 'array', items: 'null' }, long(count)), 'avro.tooMany');
    assert.equal(fault({ type: 'map', values: 'double' }, long(count)), 'avro.tooMany');
  }
  assert.equal(fault(list, long(1000)), 'avro.truncated');
  const nulls = { type: 'array', items: 'null' };
  assert.equal(fault(nulls, long(600), long(400), long(0)), null);
  assert.equal(fault(nulls, long(600), long(401), long(0)), 'avro.tooMany');
  assert.equal(
    fault({ type: 'array', items: nulls }, long(2), long(600), long(0), long(600), long(0), long(0)),
    'avro.tooMany',
  );
});

test('a block that states its size in bytes must have it', () => {
  const items = [double(1), double(2)];
  assert.equal(fault(list, long(-2), long(16), ...items, long(0)), null);
  assert.equal(fault(list, long(-2), long(15), ...items, long(0)), 'avro.invalid');
  assert.equal(fault(list, long(-2), long(-16), ...items, long(0)), 'avro.invalid');
});

test('nesting ends at the limit, long before the stack does', () => {
  const open = (levels: number): Buffer[] => Array.from({ length: levels }, () => long(1));
  const closed = (levels: number): Buffer[] => [
    ...open(levels),
    long(0),
    ...Array.from({ length: levels }, () => long(0)),
  ];
  // Every level is a record and an array: 16 of them are 32 deep.
  assert.equal(fault(tree, ...closed(15)), null);
  assert.equal(fault(tree, ...closed(16)), 'avro.tooDeep');
  assert.equal(fault(tree, Buffer.alloc(10_000, 2)), 'avro.tooDeep');
});

test('values outside of their type are invalid', () => {
  assert.equal(fault('boolean', Buffer.from([7])), 'avro.invalid');
  assert.equal(fault('int', long(2147483648)), 'avro.invalid');
  assert.equal(fault('int', long(-2147483649)), 'avro.invalid');
  assert.equal(fault('int', long(2 ** 40)), 'avro.invalid');
  assert.equal(fault('long', Buffer.from([...Array.from({ length: 9 }, () => 0xff), 0x01])), null);
  assert.equal(fault('long', Buffer.from([...Array.from({ length: 9 }, () => 0xff), 0x02])), 'avro.invalid');
  assert.equal(fault('long', Buffer.from([...Array.from({ length: 10 }, () => 0x80), 0x01])), 'avro.invalid');
  assert.equal(fault(['null', 'int'], long(9)), 'avro.invalid');
  assert.equal(fault(['null', 'int'], long(-1)), 'avro.invalid');
  assert.equal(fault({ type: 'enum', name: 'E', symbols: ['X'] }, long(9)), 'avro.invalid');
  assert.equal(fault('string', long(-1)), 'avro.invalid');
  assert.equal(fault('string', long(2n ** 31n)), 'avro.truncated');
  assert.equal(fault('bytes', long(2n ** 40n)), 'avro.truncated');
  assert.equal(fault('string', long(2), Buffer.from([0xc3, 0x28])), 'avro.invalid');
});
