import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, EMPTY, lastValueFrom, NEVER, of, Subject, throwError, toArray, type Observable } from 'rxjs';
import { emptyBatch } from '../../src/operators/batcher.ts';
import { learn } from '../../src/operators/learn.ts';
import type { Batch } from '../../src/records.ts';
import { emptyBarrier } from '../support/blocks.ts';

/** Notes what happens to batches, in order. */
function notebook() {
  const notes: string[] = [];
  const batchOf = (name: string, changes: Partial<Batch> = {}): Batch => ({
    ...emptyBatch(1),
    rowCount: name.length,
    release: () => void notes.push(`release ${name}`),
    ...changes,
  });
  const trainer = {
    observe: async ({ rowCount }: Batch): Promise<void> => {
      notes.push(`observe ${rowCount}`);
      await Promise.resolve();
      notes.push(`observed ${rowCount}`);
    },
  };
  return { notes, batchOf, trainer };
}

const all = (batches: Observable<Batch>): Promise<Batch[]> => lastValueFrom(batches.pipe(toArray()));

test('learn hands over one batch after the other, and gives each back when it was taken', async () => {
  const { notes, batchOf, trainer } = notebook();
  const passed = await all(of(batchOf('a'), batchOf('bb')).pipe(learn(trainer)));
  assert.deepEqual(notes, ['observe 1', 'observed 1', 'release a', 'observe 2', 'observed 2', 'release bb']);
  assert.deepEqual(
    passed.map(({ rowCount }) => rowCount),
    [1, 2],
  );
});

test('learn lets the stream wait while a barrier is made durable, and asks no trainer to learn nothing', async () => {
  const { notes, batchOf, trainer } = notebook();
  const save = async (): Promise<void> => {
    notes.push('saving');
    await Promise.resolve();
    notes.push('saved');
  };
  const mark = batchOf('', { barrier: emptyBarrier() });
  await all(of(mark, batchOf('a')).pipe(learn(trainer, save)));
  assert.deepEqual(notes, ['release ', 'saving', 'saved', 'observe 1', 'observed 1', 'release a']);
});

test('learn passes empty, never, an error, an early unsubscribe, and what a trainer or a save fails with', async () => {
  const { notes, batchOf, trainer } = notebook();
  assert.deepEqual(await all(EMPTY.pipe(learn(trainer))), []);
  NEVER.pipe(learn(trainer)).subscribe().unsubscribe();
  const broken = throwError(() => new Error('source'));
  await assert.rejects(all(concat(of(batchOf('a')), broken).pipe(learn(trainer))), /source/);
  const refusing = { observe: () => Promise.reject(new Error('trainer')) };
  await assert.rejects(all(of(batchOf('a'), batchOf('bb')).pipe(learn(refusing))), /trainer/);
  const mark = batchOf('', { barrier: emptyBarrier() });
  await assert.rejects(all(of(mark).pipe(learn(trainer, () => Promise.reject(new Error('disk'))))), /disk/);
  notes.length = 0;
  const batches = new Subject<Batch>();
  const subscription = batches.pipe(learn(trainer)).subscribe();
  batches.next(batchOf('a'));
  batches.next(batchOf('bb'));
  subscription.unsubscribe();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(notes, ['observe 1', 'observed 1', 'release a']);
});
