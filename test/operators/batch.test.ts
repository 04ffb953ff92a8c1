import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observable } from 'rxjs';
import { from, map, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { batch } from '../../src/operators/batch.ts';
import { Batcher } from '../../src/operators/batcher.ts';
import type { Batch, ScaledBlock } from '../../src/records.ts';
import type { TelemetryEvent } from '../../src/telemetry.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { emptyBarrier, scaledBlock } from '../support/blocks.ts';

const options = { maxDelayMs: null, featureCount: 1, telemetry: silentTelemetry };
const blocks = {
  a: scaledBlock([1]),
  b: scaledBlock([1, 2]),
  z: scaledBlock([]),
  e: scaledBlock([], { isEndOfInput: true }),
};
/** A batch as one letter: its number of rows, `e` for the end of input. */
const counts = { 0: 0, 1: 1, 2: 2, 3: 3, e: 'end' };

function told(sealed: Batch): number | string {
  return sealed.isEndOfInput ? 'end' : sealed.rowCount;
}

test('batch seals on rows, on the delay after the first row, and on the end of input', () => {
  new TestScheduler(assert.deepEqual).run(({ cold, expectObservable }) => {
    const through = (marbles: string, maxDelayMs: number | null): Observable<number | string> =>
      cold(marbles, blocks).pipe(batch(new Batcher(3, 1), { ...options, maxDelayMs }), map(told));
    expectObservable(through('|', null)).toBe('|', counts);
    expectObservable(through('-', 10), '100ms !').toBe('-', counts);
    expectObservable(through('-a-|', null)).toBe('---|', counts);
    expectObservable(through('-abzb-|', null)).toBe('--3---|', counts);
    expectObservable(through('-a-(e|)', null)).toBe('---(1e|)', counts);
    expectObservable(through('-e|', null)).toBe('-e|', counts);
    expectObservable(through('-aa 50ms |', 10)).toBe('- 10ms 2 41ms |', counts);
    // The third row fills the batch; the fourth starts a delay of its own.
    expectObservable(through('-b 4ms b 50ms |', 10)).toBe('- 5ms 3 9ms 1 40ms |', counts);
    expectObservable(through('-a#', 10)).toBe('--#', counts);
    expectObservable(through('-a 50ms a', 10), '5ms !').toBe('-', counts);
    expectObservable(through('-a|', 10)).toBe('--|', counts);
  });
});

test('a mistake in the state is an error of the stream', () => {
  let message = '';
  from([scaledBlock([1, 2], { featureCount: 2 })])
    .pipe(batch(new Batcher(3, 1), options))
    .subscribe({
      error: (error: unknown) => {
        message = String(error);
      },
    });
  assert.match(message, /another number of features/);
});

test('a barrier seals nothing, takes the rows at hand along, and keeps its place', () => {
  const barrier = emptyBarrier();
  const seen: Batch[] = [];
  from([scaledBlock([0, 1, 2, 3]), scaledBlock([], { barrier }), scaledBlock([4, 5], { firstOffset: 4 })])
    .pipe(batch(new Batcher(3, 1), options))
    .subscribe((sealed) => seen.push(sealed));
  assert.deepEqual(
    seen.map((sealed) => (sealed.barrier === null ? [...sealed.offsets] : 'barrier')),
    [[0, 1, 2], 'barrier', [3, 4, 5]],
  );
  assert.equal(seen[1]?.barrier, barrier);
  assert.deepEqual([...(barrier.parts.get('batch')?.arrays['offsets'] ?? [])], [3]);
});

test('rows restored from a checkpoint are sealed by delay too, or at once where they fill a batch', () => {
  const earlier = new Batcher(10, 1);
  earlier.push(scaledBlock([0, 1, 2, 3, 4]));
  new TestScheduler(assert.deepEqual).run(({ cold, expectObservable }) => {
    const restored = new Batcher(3, 1);
    restored.restore(earlier.snapshot());
    const through = cold<ScaledBlock>('-').pipe(batch(restored, { ...options, maxDelayMs: 10 }), map(told));
    expectObservable(through, '50ms !').toBe('3 9ms 2', counts);
  });
});

test('each sealed batch is told with its cause', () => {
  const events: TelemetryEvent[] = [];
  const source = new Subject<ScaledBlock>();
  source.pipe(batch(new Batcher(2, 1), { ...options, telemetry: { emit: (event) => events.push(event) } })).subscribe();
  source.next(scaledBlock([1, 2, 3]));
  source.next(blocks.e);
  assert.deepEqual(events, [
    { type: 'batchSealed', rows: 2, cause: 'rows' },
    { type: 'batchSealed', rows: 1, cause: 'end' },
  ]);
});
