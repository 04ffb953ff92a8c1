import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigError } from '../../src/errors.ts';
import { Ring, ringSlots } from '../../src/trainer/ring.ts';
import { batchOf, readings } from './support.ts';

const options = { featureCount: 3, batchRows: 4, ringBytes: 1000 };

it('ringSlots fits as many batches as the bytes hold, and no more than 256', () => {
  // 4 rows of 32 + 12 + 16 + 1 bytes and a header of 16: 260 bytes.
  assert.equal(ringSlots({ ...options, ringBytes: 520 }), 2);
  assert.equal(ringSlots({ ...options, ringBytes: 1299 }), 4);
  assert.equal(ringSlots({ ...options, ringBytes: 1 << 30 }), 256);
});

it('ringSlots refuses bytes for fewer than two batches and says how many are needed', () => {
  assert.throws(
    () => ringSlots({ ...options, ringBytes: 519 }),
    (error) =>
      error instanceof ConfigError && error.message.includes('520') && error.context['key'] === 'limits.ringBytes',
  );
});

it('slots come out as they went in, in order, for many rounds', () => {
  const ring = new Ring(options);
  const reader = new Ring(options, ring.memory);
  for (let round = 0; round < 20; round++) {
    const batch = { ...batchOf(readings(round % 5, round)), featureCount: 3, evictedKeyIds: Int32Array.of(round, 7) };
    ring.put('batch', batch);
    ring.put(round % 2 === 0 ? 'snapshot' : 'stop');
    assert.equal(ring.depth, 2);
    const taken = reader.take();
    assert.equal(taken.kind, 'batch');
    assert.deepEqual({ ...batch, ...taken.batch }, batch);
    assert.equal(Object.keys(taken.batch).length, 12);
    reader.release();
    assert.equal(reader.take().kind, round % 2 === 0 ? 'snapshot' : 'stop');
    reader.release();
    assert.equal(ring.depth, 0);
  }
});

it('a writer that waits for room hears of it when half of the slots are free', async () => {
  const ring = new Ring({ ...options, ringBytes: 4 * 260 });
  const reader = new Ring({ ...options, ringBytes: 4 * 260 }, ring.memory);
  for (let i = 0; i < 4; i++) ring.put('snapshot');
  let hasRoom = false;
  const waiting = ring.hasRoom().then(() => (hasRoom = true));
  reader.take();
  reader.release();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasRoom, false);
  reader.take();
  reader.release();
  await waiting;
  assert.equal(ring.depth, 2);
});

it('a writer that did not have to wait uses every slot', async () => {
  const ring = new Ring(options);
  const reader = new Ring(options, ring.memory);
  for (let i = 0; i < ring.slots; i++) ring.put('snapshot');
  reader.take();
  reader.release();
  await ring.hasRoom();
  assert.equal(ring.depth, ring.slots - 1);
});

it('an abandoned ring ends the wait for room', async () => {
  const ring = new Ring(options);
  for (let i = 0; i < ring.slots; i++) ring.put('snapshot');
  const waiting = ring.hasRoom();
  ring.abandon();
  await waiting;
});

it('a batch of too many rows or other features is a bug', () => {
  const ring = new Ring(options);
  assert.throws(() => {
    ring.put('batch', batchOf(readings(5)));
  });
  assert.throws(() => {
    ring.put('batch', batchOf([{ features: [1, 2], target: 0 }]));
  });
});
