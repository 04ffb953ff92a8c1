import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observable } from 'rxjs';
import { from, map, of, Subject, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { normalize, unscaled } from '../../src/operators/normalize.ts';
import { RunningMoments } from '../../src/operators/running-moments.ts';
import type { RowBlock, ScaledBlock } from '../../src/records.ts';
import type { TelemetryEvent } from '../../src/telemetry.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { emptyBarrier, rowBlock } from '../support/blocks.ts';

const scheduler = (): TestScheduler => new TestScheduler(assert.deepEqual);
const rowCounts = (blocks: Observable<ScaledBlock>): Observable<number> => blocks.pipe(map((block) => block.rowCount));
const one = (): RunningMoments => new RunningMoments([true], 100);

function normalized(blocks: readonly RowBlock[], moments = one()): readonly ScaledBlock[] {
  let result: readonly ScaledBlock[] = [];
  from(blocks)
    .pipe(normalize(moments, silentTelemetry), toArray())
    .subscribe((all) => {
      result = all;
    });
  return result;
}

test('normalize passes empty, one, many, never, an error, and an early unsubscribe through', () => {
  const blocks = { a: rowBlock([1]), b: rowBlock([1, 2]) };
  const counts = { a: 1, b: 2 };
  scheduler().run(({ cold, expectObservable }) => {
    const through = (marbles: string): Observable<number> =>
      rowCounts(cold(marbles, blocks).pipe(normalize(one(), silentTelemetry)));
    expectObservable(through('|')).toBe('|', counts);
    expectObservable(through('-a|')).toBe('-a|', counts);
    expectObservable(through('-ab-a|')).toBe('-ab-a|', counts);
    expectObservable(through('-')).toBe('-', counts);
    expectObservable(through('-a#')).toBe('-a#', counts);
    expectObservable(through('-ab'), '--!').toBe('-ab'.slice(0, 2), counts);
  });
});

test('an error in the scaler is an error of the stream', () => {
  const broken = {
    ...unscaled(1),
    normalize: () => {
      throw new Error('broken');
    },
  };
  let message = '';
  of(rowBlock([1]))
    .pipe(normalize(broken, silentTelemetry))
    .subscribe({
      error: (error: unknown) => {
        message = String(error);
      },
    });
  assert.match(message, /broken/);
});

test('each row is learned, then transformed, however blocks are cut', () => {
  const values = [3, 9, NaN, 4, 4, 1e6, -2];
  const whole = normalized([rowBlock(values)]).flatMap((block) => [...block.features]);
  const cut = normalized([rowBlock(values.slice(0, 2)), rowBlock([]), rowBlock(values.slice(2))]);
  assert.deepEqual(
    cut.flatMap((block) => [...block.features]),
    whole,
  );
  assert.deepEqual(whole.slice(0, 3), [0, 1, 0]);
});

test('a barrier takes the moments of the rows before it along, and restored from them the rest is the same', () => {
  const barrier = emptyBarrier();
  const values = [3, 9, 4, 1, 7, 5];
  const whole = normalized([rowBlock(values.slice(0, 3)), rowBlock([], { barrier }), rowBlock(values.slice(3))]);
  const moments = one();
  moments.restore(barrier.parts.get('normalize')!);
  const rest = normalized([rowBlock(values.slice(3))], moments);
  assert.deepEqual([...rest[0]!.features], [...whole[2]!.features]);
  assert.equal(whole[1]!.barrier, barrier);
});

test('without a normalizer values pass as they are, but for missing ones', () => {
  const events: TelemetryEvent[] = [];
  const scaler = unscaled(2);
  of(rowBlock([1, NaN, 3, 4], { featureCount: 2 }))
    .pipe(normalize(scaler, { emit: (event) => events.push(event) }))
    .subscribe((block) => {
      assert.deepEqual([...block.features], [1, 0, 3, 4]);
    });
  assert.deepEqual(
    events.map((event) => event.type),
    ['blockNormalized'],
  );
  scaler.restore(scaler.snapshot());
});

test('the block behind it is released as the block before it', () => {
  const count = { releases: 0 };
  normalized([rowBlock([1], { count })])[0]!.release();
  assert.equal(count.releases, 1);
});

test('features stay as they are until their block is released', () => {
  const seen: ScaledBlock[] = [];
  const stream = new Subject<RowBlock>();
  stream.pipe(normalize(unscaled(1), silentTelemetry)).subscribe((block) => seen.push(block));
  stream.next(rowBlock([1, 2]));
  stream.next(rowBlock([3, 4]));
  assert.deepEqual([...seen[0]!.features], [1, 2]);
  seen[0]!.release();
  stream.next(rowBlock([5, 6]));
  assert.equal(seen[2]!.features.buffer, seen[0]!.features.buffer);
  assert.deepEqual(
    [[...seen[1]!.features], [...seen[2]!.features]],
    [
      [3, 4],
      [5, 6],
    ],
  );
});
