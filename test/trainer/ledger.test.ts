import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fmix32 } from '../../src/fmix32.ts';
import { Ledger } from '../../src/trainer/ledger.ts';

/** The finalizer again, in big integers. */
function mixed(value: bigint): bigint {
  const mask = 0xffffffffn;
  let hash = value & mask;
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
  return hash ^ (hash >> 16n);
}

function hashOf(partition: number, offsets: readonly number[]): string {
  return [0n, 1n]
    .map((s) => {
      let sum = 0n;
      for (const offset of offsets.map(BigInt)) {
        sum += mixed(mixed(mixed(BigInt(partition) + s) ^ (offset >> 32n)) ^ (offset & 0xffffffffn));
      }
      return (sum & 0xffffffffn).toString(16).padStart(8, '0');
    })
    .join('');
}

it('fmix32 gives the published values of MurmurHash3', () => {
  assert.equal(fmix32(0), 0);
  assert.equal(fmix32(1), 0x514e28b7);
  assert.equal(fmix32(0xffffffff), 0x81f16f39);
});

it('the ledger equals an implementation in big integers, with offsets above 2³² and in any order', () => {
  const offsets = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52 + 12345];
  const [ledger, backwards] = [new Ledger(), new Ledger()];
  for (const offset of offsets) ledger.add(0, 3, offset);
  for (const offset of offsets.toReversed()) backwards.add(0, 3, offset);
  assert.deepEqual(ledger.report(), [{ originId: 0, partition: 3, count: 7, hash: hashOf(3, offsets) }]);
  assert.deepEqual(backwards.report(), ledger.report());
});

it('a record trained twice, or another in its place, shows', () => {
  const hash = (offsets: readonly number[]): string => {
    const ledger = new Ledger();
    for (const offset of offsets) ledger.add(0, 0, offset);
    return ledger.report()[0]!.hash;
  };
  assert.notEqual(hash([1, 2, 3]), hash([1, 2, 4]));
  assert.notEqual(hash([1, 2, 3]), hash([1, 2, 2]));
});

it('a restored ledger goes on as the saved one', () => {
  const ledger = new Ledger();
  ledger.add(1, 5, 10);
  ledger.add(0, 4, 11);
  const restored = new Ledger();
  restored.restore(ledger.snapshot().arrays);
  for (const each of [ledger, restored]) each.add(1, 5, 12);
  assert.deepEqual(restored.report(), ledger.report());
  assert.deepEqual(
    restored.report().map(({ originId, count }) => [originId, count]),
    [
      [0, 1],
      [1, 2],
    ],
  );
});
