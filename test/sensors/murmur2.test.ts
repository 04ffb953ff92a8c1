import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { murmur2, partitionOfKey } from '../../src/sensors/murmur2.ts';

suite('murmur2', () => {
  test("agrees with the vectors of Kafka's own tests", () => {
    const vectors: Readonly<Record<string, number>> = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    };
    for (const [key, hash] of Object.entries(vectors)) assert.equal(murmur2(Buffer.from(key)), hash, key);
  });

  test('a partition is the hash without its sign bit, modulo the partitions', () => {
    assert.equal(partitionOfKey(Buffer.from('abc'), 4), 479470107 % 4);
    assert.equal(partitionOfKey(Buffer.from('21'), 7), (-973932308 & 0x7fffffff) % 7);
    assert.equal(partitionOfKey(Buffer.from(''), 1), 0);
  });
});
