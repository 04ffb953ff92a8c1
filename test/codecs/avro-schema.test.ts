import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avroFields, avroPath, parseAvroSchema, valueAtPath } from '../../src/codecs/avro-schema.ts';
import { DecodeError } from '../../src/errors.ts';

const schema = JSON.stringify({
  type: 'record',
  name: 'Reading',
  namespace: 'plant',
  fields: [
    { name: 'site', type: { type: 'enum', name: 'Site', symbols: ['A', 'B'] } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'day', type: ['null', { type: 'int', logicalType: 'date' }] },
    { name: 'nanos', type: { type: 'long', logicalType: 'timestamp-nanos' } },
    { name: 'power', type: ['null', 'float'] },
    { name: 'either', type: ['null', 'int', 'double'] },
    { name: 'tags', type: { type: 'map', values: 'double' } },
    {
      name: 'wind',
      type: [
        'null',
        {
          type: 'record',
          name: 'Wind',
          fields: [
            { name: 'speed', type: 'double' },
            { name: 'up', type: 'boolean' },
          ],
        },
      ],
    },
    { name: 'parent', type: ['null', 'Reading'] },
    { name: 'note', type: 'string' },
    { name: 'raw', type: 'bytes' },
  ],
});

test('fields are listed in order, nested ones by dotted path, with what they can be wanted as', () => {
  assert.deepEqual(
    avroFields(schema).map(({ path, kind }) => `${path}: ${kind}`),
    [
      'site: text',
      'at: time',
      'day: time',
      'nanos: number',
      'power: number',
      'either: number',
      'tags: other',
      'wind.speed: number',
      'wind.up: number',
      'note: text',
      'raw: other',
    ],
  );
});

test('a path leads through records, maps and unions, wrapped or not', () => {
  const type = parseAvroSchema(schema);
  const datum = type.decode(
    type.toBuffer({
      site: 'B',
      at: 1_000_000,
      day: 3,
      nanos: 5,
      power: 1.5,
      either: { double: 2.5 },
      tags: { hot: 9 },
      wind: { speed: 4, up: true },
      parent: null,
      note: 'x',
      raw: Buffer.from([1]),
    }),
  ).value as unknown;
  const at = (path: string): unknown => {
    const found = avroPath(type, path);
    return found === null ? 'no such field' : valueAtPath(datum, found);
  };
  assert.deepEqual(
    ['site', 'at', 'day', 'power', 'either', 'tags.hot', 'tags.cold', 'wind.speed', 'wind.up', 'parent.power'].map(at),
    ['B', 1_000_000, 3, 1.5, 2.5, 9, undefined, 4, true, null],
  );
  assert.deepEqual(['nothing', 'wind.nothing', 'note.x', ''].map(at), Array(4).fill('no such field'));
  assert.equal(avroPath(type, 'at')?.unit, 'microseconds');
  assert.equal(avroPath(type, 'day')?.unit, 'days');
  assert.equal(avroPath(type, 'nanos')?.unit, 'milliseconds');
});

test('what is no Avro schema is refused with a reason', () => {
  for (const text of ['', '{', '"nothing"', '{"type":"object"}', '[]x', 'null']) {
    assert.throws(() => parseAvroSchema(text), DecodeError, text);
  }
});

test('a schema nested beyond the stack is refused as any other bad schema', () => {
  const deep = `${'{"type":"array","items":'.repeat(20_000)}"int"${'}'.repeat(20_000)}`;
  assert.throws(() => parseAvroSchema(deep), DecodeError);
});
