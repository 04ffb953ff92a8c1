import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { from, NEVER, Observable, Subject, throwError } from 'rxjs';
import { admit, InFlight } from '../../src/operators/admit.ts';
import { markBlock, type RecordBlock } from '../../src/records.ts';

const never = new AbortController().signal;

/** An empty block that says when it is given back. */
function blockAt(nextOffset: number, released: number[] = []): RecordBlock {
  return { ...markBlock({}), nextOffset, release: () => void released.push(nextOffset) };
}

/** Subscribes and collects what comes out. */
function collect(blocks: Observable<RecordBlock>): { passed: number[]; errors: unknown[]; isComplete: () => boolean } {
  const passed: number[] = [];
  const errors: unknown[] = [];
  let isComplete = false;
  blocks.subscribe({
    next: ({ nextOffset }) => passed.push(nextOffset),
    error: (error: unknown) => errors.push(error),
    complete: () => (isComplete = true),
  });
  return { passed, errors, isComplete: () => isComplete };
}

/** Lets all that waits for nothing but a promise run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('admit', () => {
  test('lets everything pass in order while nothing is in flight, then completes', async () => {
    const { passed, isComplete } = collect(from([1, 2, 3].map((n) => blockAt(n))).pipe(admit(new InFlight(), never)));
    await settle();
    assert.deepEqual(passed, [1, 2, 3]);
    assert.ok(isComplete());
  });

  test('holds blocks back while something is in flight', async () => {
    const inFlight = new InFlight();
    const source = new Subject<RecordBlock>();
    const { passed, isComplete } = collect(source.pipe(admit(inFlight, never)));
    inFlight.enter();
    inFlight.enter();
    source.next(blockAt(1));
    source.next(blockAt(2));
    source.complete();
    await settle();
    inFlight.leave();
    await settle();
    assert.deepEqual(passed, []);
    inFlight.leave();
    await settle();
    assert.deepEqual(passed, [1, 2]);
    assert.ok(isComplete());
  });

  test('lets none pass once stopping, and gives them back', async () => {
    const inFlight = new InFlight();
    const stopping = new AbortController();
    const released: number[] = [];
    const source = new Subject<RecordBlock>();
    const { passed, isComplete } = collect(source.pipe(admit(inFlight, stopping.signal)));
    inFlight.enter();
    source.next(blockAt(1, released));
    source.next(blockAt(2, released));
    stopping.abort();
    source.complete();
    inFlight.leave();
    await settle();
    assert.deepEqual([passed, released], [[], [1, 2]]);
    assert.ok(isComplete());
  });

  test('passes on an empty, an endless and a failing source as they are', async () => {
    assert.ok(collect(from([]).pipe(admit(new InFlight(), never))).isComplete());
    const endless = collect(NEVER.pipe(admit(new InFlight(), never)));
    const failure = new Error('away');
    const failing = collect(throwError(() => failure).pipe(admit(new InFlight(), never)));
    await settle();
    assert.ok(!endless.isComplete());
    assert.deepEqual(failing.errors, [failure]);
  });

  test('ends its subscription with its subscriber', async () => {
    const inFlight = new InFlight();
    let isEnded = false;
    const source = new Observable<RecordBlock>((subscriber) => {
      subscriber.next(blockAt(1));
      return () => (isEnded = true);
    });
    const passed: number[] = [];
    inFlight.enter();
    const subscription = source.pipe(admit(inFlight, never)).subscribe(({ nextOffset }) => passed.push(nextOffset));
    subscription.unsubscribe();
    inFlight.leave();
    await settle();
    assert.ok(isEnded);
    assert.deepEqual(passed, []);
  });
});
