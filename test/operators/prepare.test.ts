import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observable } from 'rxjs';
import { from, lastValueFrom, map, of, Subject, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { prepare, type BlockPreparer } from '../../src/operators/prepare.ts';
import type { RecordBlock } from '../../src/records.ts';
import { recordBlock } from '../support/blocks.ts';

const never = new AbortController().signal;
const nothingMissing: BlockPreparer = { prepare: () => null };

/** Waits for every block of two records until told how that ended; an abort ends it too. */
class Loading implements BlockPreparer {
  readonly signals: AbortSignal[] = [];
  finish: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  prepare(block: RecordBlock, signal: AbortSignal): Promise<void> | null {
    if (block.recordCount !== 2) return null;
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }
}

test('prepare passes empty, one, many, never, an error, and an early unsubscribe through', () => {
  const values = { a: recordBlock(['1']), b: recordBlock(['1', '2', '3']) };
  const counts = { a: 1, b: 3 };
  new TestScheduler(assert.deepEqual).run(({ cold, expectObservable }) => {
    const through = (marbles: string): Observable<number> =>
      cold(marbles, values).pipe(
        prepare(nothingMissing, never),
        map((block) => block.recordCount),
      );
    expectObservable(through('|')).toBe('|', counts);
    expectObservable(through('-a|')).toBe('-a|', counts);
    expectObservable(through('-ab-(ab)|')).toBe('-ab-(ab)|', counts);
    expectObservable(through('-')).toBe('-', counts);
    expectObservable(through('-a#')).toBe('-a#', counts);
    expectObservable(through('-ab'), '--!').toBe('-a', counts);
  });
});

test('a block that waits holds those behind it', async () => {
  const codec = new Loading();
  const source = new Subject<RecordBlock>();
  const seen: number[] = [];
  const done = lastValueFrom(
    source.pipe(
      prepare(codec, never),
      map((block) => seen.push(block.recordCount)),
    ),
  );
  for (const values of [['1'], ['2', '2'], ['3', '3', '3']]) source.next(recordBlock(values));
  source.complete();
  assert.deepEqual(seen, [1]);
  codec.finish();
  await done;
  assert.deepEqual(seen, [1, 2, 3]);
});

test('once stopping, what waits and what is behind it are given back, and the stream ends well', async () => {
  const codec = new Loading();
  const stopping = new AbortController();
  const count = { releases: 0 };
  const blocks = [['1'], ['2', '2'], ['3', '3', '3']].map((values) => recordBlock(values, { count }));
  const passed = lastValueFrom(from(blocks).pipe(prepare(codec, stopping.signal), toArray()));
  stopping.abort();
  assert.deepEqual(await passed, blocks.slice(0, 1));
  assert.equal(count.releases, 2);
});

test('unsubscribing aborts what is being loaded', () => {
  const codec = new Loading();
  const subscription = of(recordBlock(['2', '2']))
    .pipe(prepare(codec, never))
    .subscribe();
  assert.equal(codec.signals[0]?.aborted, false);
  subscription.unsubscribe();
  assert.equal(codec.signals[0].aborted, true);
});

test('what the codec fails with is an error of the stream', async () => {
  const codec = new Loading();
  const loaded = lastValueFrom(of(recordBlock(['2', '2'])).pipe(prepare(codec, never)));
  codec.fail(new Error('gave up'));
  await assert.rejects(loaded, /gave up/);
});

test('any number of small blocks may wait for one schema, and be given back at a stop', async () => {
  const small = Array.from({ length: 50_000 }, () => recordBlock(['1']));
  const blocks = [recordBlock(['2', '2']), ...small];
  const codec = new Loading();
  const passed = lastValueFrom(from(blocks).pipe(prepare(codec, never), toArray()));
  codec.finish();
  assert.equal((await passed).length, blocks.length);

  const stopping = new AbortController();
  const given = lastValueFrom(from(blocks).pipe(prepare(new Loading(), stopping.signal), toArray()));
  stopping.abort();
  assert.deepEqual(await given, []);
});
