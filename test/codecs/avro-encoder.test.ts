import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import { double } from './avro-bytes.ts';

test('a record is written in Confluent framing', () => {
  const schema = '{"type":"record","name":"R","fields":[{"name":"x","type":"double"}]}';
  const expected = Buffer.concat([Buffer.from([0, 0, 1, 0, 2]), double(1.5)]);
  assert.deepEqual(avroEncoder(schema, 65538)({ x: 1.5 }), expected);
});

test('a record that does not fit the schema throws', () => {
  const encode = avroEncoder('{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}', 1);
  assert.throws(() => encode({ x: 'no' }));
});
