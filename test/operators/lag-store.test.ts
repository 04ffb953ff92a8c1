import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptRows } from '../../src/operators/kept-rows.ts';
import { LagStore } from '../../src/operators/lag-store.ts';

/** Pushes one row of a key; a new key is given an empty slot. */
function push(store: LagStore, slot: number, values: readonly number[], isNew = false): void {
  const kept = new KeptRows();
  kept.reset(1);
  kept.add(0, slot, isNew);
  const places = { count: 1, indexes: kept.indexes, out: new Float64Array(0), stride: 0 };
  store.open(kept, slot + 1);
  for (const [field, value] of values.entries()) {
    store.push(field, Float64Array.of(value), kept, [], places, new Int32Array(0));
  }
}

test('values come back by how many rows ago they were; before the first there is nothing', () => {
  const store = new LagStore(2, 3);
  assert.ok(Number.isNaN(store.read(0, 0, 1)));
  push(store, 0, [1, 10], true);
  assert.deepEqual([store.read(0, 0, 1), store.read(0, 0, 2)], [1, NaN]);
  for (let row = 2; row <= 5; row += 1) push(store, 0, [row, 10 * row]);
  assert.deepEqual(
    [1, 2, 3].map((rows) => store.read(0, 0, rows)),
    [5, 4, 3],
  );
  assert.deepEqual(
    [1, 2, 3].map((rows) => store.read(0, 1, rows)),
    [50, 40, 30],
  );
});

test('slots do not touch each other, also when there are many, and a cleared one is empty', () => {
  const store = new LagStore(1, 2);
  for (let slot = 0; slot < 1000; slot += 1) push(store, slot, [slot], true);
  for (let slot = 0; slot < 1000; slot += 1) assert.equal(store.read(slot, 0, 1), slot);
  push(store, 7, [70], true);
  assert.deepEqual([store.read(7, 0, 1), store.read(7, 0, 2)], [70, NaN]);
  assert.equal(store.read(8, 0, 1), 8);
  assert.ok(Number.isNaN(store.read(1_000_000, 0, 1)));
});

test('in one block a row sees the rows of its key before it, and a slot that changes hands starts anew', () => {
  const store = new LagStore(1, 2);
  const kept = new KeptRows();
  kept.reset(5);
  for (const [index, slot, isNew] of [
    [0, 0, true],
    [1, 0, false],
    [3, 1, true],
    [4, 0, true],
    [5, 0, false],
  ] as const) {
    kept.add(index, slot, isNew);
  }
  const out = new Float64Array(5 * 2);
  const missed = new Int32Array(2);
  const wants = [
    { feature: 0, rows: 1, at: 0 },
    { feature: 1, rows: 2, at: 1 },
  ];
  store.open(kept, 2);
  store.push(
    0,
    Float64Array.of(10, 11, 12, 13, 14, 15),
    kept,
    wants,
    { count: 5, indexes: kept.indexes, out, stride: 2 },
    missed,
  );
  assert.deepEqual([...out], [NaN, NaN, 10, NaN, NaN, NaN, NaN, NaN, 14, NaN]);
  assert.deepEqual([...missed], [3, 5]);
});

test('a restored store goes on where the snapshot was taken', () => {
  const original = new LagStore(1, 3);
  for (let row = 0; row < 7; row += 1) push(original, row % 3, [row], row < 3);
  const arrays = original.snapshot(3);
  push(original, 0, [99]);
  const restored = new LagStore(1, 3);
  restored.restore({ json: {}, arrays });
  push(restored, 0, [99]);
  push(restored, 3, [1], true);
  for (let slot = 0; slot < 3; slot += 1) {
    for (const rows of [1, 2, 3]) assert.equal(restored.read(slot, 0, rows), original.read(slot, 0, rows));
  }
});
