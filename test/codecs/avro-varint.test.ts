import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AvroVarint } from '../../src/codecs/avro-varint.ts';
import { long } from './avro-bytes.ts';

const varint = new AvroVarint();

function read(...bytes: readonly number[]): readonly [value: number, at: number] {
  const buffer = Buffer.from([0xff, ...bytes, 0xff]);
  const value = varint.read(buffer, 1, buffer.length - 1);
  return [value, varint.at];
}

test('numbers are exact up to 2^53 on both sides of zero, and close beyond', () => {
  const exact = [0n, 1n, -1n, 63n, -64n, 64n, 2n ** 27n, -(2n ** 27n), 2n ** 31n, 2n ** 52n + 1n, 2n ** 53n - 1n];
  for (const value of [...exact, ...exact.map((each) => -each)]) {
    const bytes = long(value);
    assert.deepEqual(read(...bytes), [Number(value), bytes.length + 1], String(value));
  }
  for (const value of [2n ** 53n + 1n, 2n ** 62n + 12_345n, -(2n ** 63n)]) {
    assert.equal(read(...long(value))[0], Number(value), String(value));
  }
});

test('more bytes than needed are the same number; a cut number, an eleventh byte and a 65th bit are none', () => {
  assert.deepEqual(read(0x82, 0x80, 0x00), [1, 4]);
  assert.deepEqual(read(0x82), [0, -1]);
  assert.deepEqual(read(), [0, -1]);
  const nine = Array<number>(9).fill(0xff);
  assert.equal(read(...nine, 0x01)[1], 11);
  assert.equal(read(...nine, 0x02)[1], -1);
  assert.equal(read(...nine, 0x80, 0x00)[1], -1);
});
