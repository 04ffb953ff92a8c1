import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyTable } from '../../src/operators/key-table.ts';

/** Sees a key, and what the table says of it then. */
function see(table: KeyTable, key: string): { id: number; slot: number; isNew: boolean; evictedId: number } {
  const slot = table.see(key);
  return { id: table.idOf(slot), slot, isNew: table.isNew, evictedId: table.evictedId };
}

test('a key keeps its id and slot while it is in the table', () => {
  const table = new KeyTable(3);
  assert.deepEqual(see(table, 'a'), { id: 0, slot: 0, isNew: true, evictedId: -1 });
  assert.deepEqual(see(table, 'b'), { id: 1, slot: 1, isNew: true, evictedId: -1 });
  assert.deepEqual(see(table, 'a'), { id: 0, slot: 0, isNew: false, evictedId: -1 });
  assert.deepEqual(table.find('b'), { id: 1, slot: 1 });
  assert.equal(table.find('c'), undefined);
});

test('the key seen longest ago leaves a full table; its slot is reused, its id never', () => {
  const table = new KeyTable(2);
  table.see('a');
  table.see('b');
  table.see('a');
  assert.deepEqual(see(table, 'c'), { id: 2, slot: 1, isNew: true, evictedId: 1 });
  assert.deepEqual(see(table, 'b'), { id: 3, slot: 0, isNew: true, evictedId: 0 });
  assert.equal(table.size, 2);
});

test('an id leads back to its key until the key leaves', () => {
  const table = new KeyTable(1);
  table.see('a');
  assert.equal(table.keyOf(0), 'a');
  table.see('b');
  assert.deepEqual([table.keyOf(0), table.keyOf(1)], [null, 'b']);
});

test('against a plain list of keys in order of use it gives the same ids and evictions', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (keys, limit) => {
      const table = new KeyTable(limit);
      let used: { key: string; id: number }[] = [];
      let nextId = 0;
      for (const key of keys.map(String)) {
        const known = used.find((entry) => entry.key === key);
        const evicted = known === undefined && used.length === limit ? used.shift() : undefined;
        const entry = known ?? { key, id: nextId++ };
        used = [...used.filter((each) => each !== entry), entry];
        const seen = see(table, key);
        assert.deepEqual([seen.id, seen.isNew, seen.evictedId], [entry.id, known === undefined, evicted?.id ?? -1]);
      }
      const { json, arrays } = table.snapshot();
      assert.deepEqual(json, { nextId, keys: used.map(({ key }) => key) });
      assert.deepEqual(
        [...(arrays['ids'] ?? [])],
        used.map(({ id }) => id),
      );
    }),
    { seed: 31, numRuns: 300 },
  );
});

test('many keys find room', () => {
  const table = new KeyTable(1000);
  for (let key = 0; key < 1000; key += 1) assert.equal(table.idOf(table.see(String(key))), key);
  assert.deepEqual(see(table, '1000'), { id: 1000, slot: 0, isNew: true, evictedId: 0 });
});

test('looking is not seeing', () => {
  const table = new KeyTable(2);
  table.see('a');
  table.see('b');
  table.find('a');
  assert.equal(see(table, 'c').evictedId, 0);
});

test('a restored table evicts in the same order and gives the same ids, whatever the keys contain', () => {
  const keys = ['a', '\ud800', 'ü', '', 'c', 'a', '\n"{}', 'd', 'ü', 'e', 'a'];
  const original = new KeyTable(4);
  for (const key of keys) original.see(key);
  const restored = new KeyTable(4);
  const snapshot = original.snapshot();
  restored.restore({ ...snapshot, json: JSON.parse(JSON.stringify(snapshot.json)) as typeof snapshot.json });
  for (const key of [...keys, 'f', 'g', 'h', 'i', 'j']) assert.deepEqual(see(restored, key), see(original, key));
});
