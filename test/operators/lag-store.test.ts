import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LagStore } from '../../src/operators/lag-store.ts';

function push(store: LagStore, slot: number, ...values: readonly number[]): void {
  for (const [field, value] of values.entries()) store.write(slot, field, value);
  store.turn(slot);
}

test('values come back by how many rows ago they were; before the first there is nothing', () => {
  const store = new LagStore(2, 3);
  store.clear(0);
  assert.ok(Number.isNaN(store.read(0, 0, 1)));
  for (let row = 1; row <= 5; row += 1) push(store, 0, row, 10 * row);
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
  for (let slot = 0; slot < 1000; slot += 1) {
    store.clear(slot);
    push(store, slot, slot);
  }
  for (let slot = 0; slot < 1000; slot += 1) assert.equal(store.read(slot, 0, 1), slot);
  store.clear(7);
  assert.ok(Number.isNaN(store.read(7, 0, 1)));
  assert.equal(store.read(8, 0, 1), 8);
  assert.ok(Number.isNaN(store.read(1_000_000, 0, 1)));
});

test('a restored store goes on where the snapshot was taken', () => {
  const original = new LagStore(1, 3);
  for (let slot = 0; slot < 3; slot += 1) original.clear(slot);
  for (let row = 0; row < 7; row += 1) push(original, row % 3, row);
  const arrays = original.snapshot(3);
  push(original, 0, 99);
  const restored = new LagStore(1, 3);
  restored.restore({ json: {}, arrays });
  push(restored, 0, 99);
  restored.clear(3);
  for (let slot = 0; slot < 3; slot += 1) {
    for (const rows of [1, 2, 3]) assert.equal(restored.read(slot, 0, rows), original.read(slot, 0, rows));
  }
});
