import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Batcher } from '../../src/operators/batcher.ts';
import type { Batch } from '../../src/records.ts';
import { scaledBlock } from '../support/blocks.ts';

function offsetsOf(batches: readonly Batch[]): number[][] {
  return batches.map((batch) => [...batch.offsets]);
}

test('rows are batched by count, whatever the blocks', () => {
  const batcher = new Batcher(3, 1);
  batcher.push(scaledBlock([0, 1]));
  assert.deepEqual(offsetsOf(batcher.takeFull()), []);
  batcher.push(scaledBlock([2, 3, 4, 5, 6], { firstOffset: 2 }));
  assert.deepEqual(offsetsOf(batcher.takeFull()), [
    [0, 1, 2],
    [3, 4, 5],
  ]);
  assert.deepEqual(batcher.takeFull(), []);
  assert.equal(batcher.rowCount, 1);
  assert.deepEqual(offsetsOf([batcher.seal()!]), [[6]]);
  assert.equal(batcher.seal(), null);
});

test('every column of a row stays with it', () => {
  const batcher = new Batcher(3, 2);
  batcher.push(scaledBlock([1, 2, 3, 4], { featureCount: 2, originId: 5, partition: 1, keyIds: [7, 8] }));
  batcher.push(scaledBlock([5, 6], { featureCount: 2, firstOffset: 9, originId: 6, partition: 2, isScored: false }));
  const [batch] = batcher.takeFull();
  assert.ok(batch !== undefined);
  assert.equal(batch.rowCount, 3);
  assert.equal(batch.featureCount, 2);
  assert.deepEqual([...batch.features], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...batch.targets], [0, 10, 90]);
  assert.deepEqual([...batch.timesMs], [0, 60_000, 540_000]);
  assert.deepEqual([...batch.timestampsMs], [0, 1000, 9000]);
  assert.deepEqual([...batch.offsets], [0, 1, 9]);
  assert.deepEqual([...batch.keyIds], [7, 8, 0]);
  assert.deepEqual([...batch.originIds], [5, 5, 6]);
  assert.deepEqual([...batch.partitions], [1, 1, 2]);
  assert.deepEqual([...batch.isScored], [1, 1, 0]);
});

test('an evicted key leaves with the batch that holds the row that pushed it out', () => {
  const batcher = new Batcher(2, 1);
  batcher.push(scaledBlock([0, 1, 2, 3, 4], { evictedKeyIds: [-1, 4, -1, -1, 9] }));
  assert.deepEqual(
    [...batcher.takeFull(), batcher.seal()!].map((batch) => [...batch.evictedKeyIds]),
    [[4], [], [9]],
  );
});

test('a block is released with the last batch sealed from it, or at once where it sealed none', () => {
  const batcher = new Batcher(3, 1);
  const first = { releases: 0 };
  const second = { releases: 0 };
  batcher.push(scaledBlock([0, 1], { count: first }));
  assert.equal(first.releases, 1);
  batcher.push(scaledBlock([2, 3, 4, 5, 6, 7, 8, 9], { firstOffset: 2, count: second }));
  const batches = batcher.takeFull();
  assert.deepEqual(
    batches.map((batch) => {
      batch.release();
      return second.releases;
    }),
    [0, 0, 1],
  );
  batcher.seal()?.release();
  assert.deepEqual([first.releases, second.releases], [1, 1]);
  const exact = { releases: 0 };
  batcher.push(scaledBlock([0, 1, 2], { count: exact }));
  assert.equal(exact.releases, 0);
  batcher.takeFull()[0]!.release();
  assert.equal(exact.releases, 1);
});

test('a sealed batch is not written to again', () => {
  const batcher = new Batcher(2, 1);
  batcher.push(scaledBlock([1, 2]));
  const [batch] = batcher.takeFull();
  batcher.push(scaledBlock([3, 4]));
  assert.deepEqual([...batch!.features], [1, 2]);
});

test('restored at any row it goes on as if nothing had happened', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 }), fc.nat(8), (sizes, cut) => {
      let offset = 0;
      const blocks = sizes.map((size) => {
        const block = scaledBlock(
          Array.from({ length: size }, (_, row) => offset + row),
          {
            firstOffset: offset,
            evictedKeyIds: Array.from({ length: size }, (_, row) => (row % 2 === 0 ? offset + row : -1)),
          },
        );
        offset += size;
        return block;
      });
      const original = new Batcher(4, 1);
      for (const block of blocks.slice(0, cut)) original.push(block);
      original.takeFull();
      const restored = new Batcher(4, 1);
      restored.restore(original.snapshot());
      const ends = [original, restored].map((batcher) => {
        for (const block of blocks.slice(cut)) batcher.push(block);
        return [...batcher.takeFull(), batcher.seal()].map((batch) => batch && { ...batch, release: 0 });
      });
      assert.deepEqual(ends[1], ends[0]);
    }),
    { seed: 99, numRuns: 200 },
  );
});

test("a snapshot is a copy, and rows of a larger batch than today's are cut to its size", () => {
  const large = new Batcher(10, 1);
  large.push(scaledBlock([0, 1, 2, 3, 4]));
  const snapshot = large.snapshot();
  large.push(scaledBlock([5], { firstOffset: 5 }));
  const small = new Batcher(2, 1);
  small.restore(snapshot);
  assert.deepEqual(offsetsOf(small.takeFull()), [
    [0, 1],
    [2, 3],
  ]);
  assert.equal(small.rowCount, 1);
});

test('rows with another number of features are a mistake of the program', () => {
  const batcher = new Batcher(2, 1);
  assert.throws(() => {
    batcher.push(scaledBlock([1, 2], { featureCount: 2 }));
  });
  const other = new Batcher(4, 2);
  other.push(scaledBlock([1, 2], { featureCount: 2 }));
  assert.throws(() => {
    batcher.restore(other.snapshot());
  });
});
