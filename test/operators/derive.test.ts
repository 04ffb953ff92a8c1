import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observable } from 'rxjs';
import { from, map, of } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { DeriveOptions } from '../../src/operators/derive.ts';
import { derive } from '../../src/operators/derive.ts';
import type { FeaturePlan } from '../../src/operators/feature-plan.ts';
import { FeatureState } from '../../src/operators/feature-state.ts';
import type { DecodedBlock, RowBlock } from '../../src/records.ts';
import type { TelemetryEvent } from '../../src/telemetry.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { decodedBlock, decodedMark, emptyBarrier } from '../support/blocks.ts';

const plan: FeaturePlan = {
  features: [
    { name: 'power', field: 'power', kind: 'plain' },
    { name: 'before', field: 'power', kind: 'lag', rows: 1 },
  ],
  key: 'sensor',
  time: 'at',
  target: { field: 'label', kind: 'class', hasHorizon: false, as: 'value', classes: ['low', 'high'], maxClasses: 32 },
  maxKeys: 2,
};

interface Row {
  readonly power?: number;
  readonly label?: string | null;
  readonly sensor?: string | null;
  readonly at?: number;
}

function block(rows: readonly Row[], firstOffset = 0): DecodedBlock {
  return decodedBlock({
    numbers: [rows.map(({ power = 1 }) => power)],
    texts: [
      rows.map(({ label }) => (label === undefined ? 'low' : label)),
      rows.map(({ sensor }) => (sensor === undefined ? 'a' : sensor)),
    ],
    times: [rows.map(({ at = 5 }) => at)],
    firstOffset,
  });
}

function run(
  blocks: readonly DecodedBlock[],
  state = new FeatureState(plan),
  options: Partial<DeriveOptions> = {},
): readonly RowBlock[] {
  const seen: RowBlock[] = [];
  from(blocks)
    .pipe(derive(state, { plan, onReject: () => undefined, telemetry: silentTelemetry, ...options }))
    .subscribe((derived) => seen.push(derived));
  return seen;
}

test('derive passes empty, one, many, never, an error, and an early unsubscribe through', () => {
  const values = { a: block([{}]), b: block([{}, {}]), z: block([]) };
  const counts = { a: 1, b: 2, z: 0 };
  new TestScheduler(assert.deepEqual).run(({ cold, expectObservable }) => {
    const through = (marbles: string): Observable<number> =>
      cold(marbles, values).pipe(
        derive(new FeatureState(plan), { plan, onReject: () => undefined, telemetry: silentTelemetry }),
        map((derived) => derived.rowCount),
      );
    expectObservable(through('|')).toBe('|', counts);
    expectObservable(through('-a|')).toBe('-a|', counts);
    expectObservable(through('-abz|')).toBe('-abz|', counts);
    expectObservable(through('-')).toBe('-', counts);
    expectObservable(through('-a#')).toBe('-a#', counts);
    expectObservable(through('-ab'), '--!').toBe('-a', counts);
  });
});

test('an error in onReject is an error of the stream', () => {
  let message = '';
  of(block([{ sensor: null }]))
    .pipe(
      derive(new FeatureState(plan), {
        plan,
        onReject: () => {
          throw new Error('disk full');
        },
        telemetry: silentTelemetry,
      }),
    )
    .subscribe({
      error: (error: unknown) => {
        message = String(error);
      },
    });
  assert.match(message, /disk full/);
});

test('a row without key, time, target or a known class is none and leaves no trace in any state', () => {
  const bad = [{ sensor: null }, { sensor: '' }, { at: NaN }, { label: null }, { label: 'odd' }].map((row) => ({
    ...row,
    power: 99,
    ...('sensor' in row ? {} : { sensor: 'new' }),
  }));
  const good = [{ power: 1 }, { power: 2, label: 'high' }, { power: 3 }];
  const rejected: unknown[] = [];
  const events: TelemetryEvent[] = [];
  const state = new FeatureState(plan);
  const [rows] = run([block([good[0]!, ...bad, good[1]!, good[2]!], 100)], state, {
    onReject: (source, index, reason, detail) => rejected.push([source.offsets[index], reason, detail]),
    telemetry: { emit: (event) => events.push(event) },
  });
  assert.deepEqual([...rows!.features], [1, NaN, 2, 1, 3, 2]);
  assert.deepEqual([...rows!.targets], [0, 1, 0]);
  assert.deepEqual([...rows!.offsets], [100, 106, 107]);
  assert.deepEqual([...rows!.keyIds], [0, 0, 0]);
  assert.deepEqual(rejected, [
    [101, 'key.missing', 'sensor is missing'],
    [102, 'key.missing', 'sensor is missing'],
    [103, 'time.missing', 'at is missing'],
    [105, 'target.unknownClass', 'label: "odd"'],
  ]);
  assert.deepEqual([state.rejected, state.filtered, state.keys.size], [4, 1, 1]);
  const [derived, ...others] = events;
  assert.ok(derived?.type === 'blockDerived' && derived.rows === 3);
  assert.deepEqual(others, [
    { type: 'recordsRejected', reason: 'key.missing', records: 2 },
    { type: 'recordsRejected', reason: 'time.missing', records: 1 },
    { type: 'recordsRejected', reason: 'target.unknownClass', records: 1 },
    { type: 'recordsFiltered', reason: 'target.missing', records: 1 },
    { type: 'valuesMissed', field: 'before', values: 1 },
  ]);
});

test('times and keys go along, and a key that had to leave is named at the row that pushed it out', () => {
  const events: TelemetryEvent[] = [];
  const sensors = ['a', 'b', 'c', 'a'];
  const [rows] = run([block(sensors.map((sensor, at) => ({ sensor, at })))], new FeatureState(plan), {
    telemetry: { emit: (event) => events.push(event) },
  });
  assert.deepEqual([...rows!.timesMs], [0, 1, 2, 3]);
  assert.deepEqual([...rows!.timestampsMs], [0, 1000, 2000, 3000]);
  assert.deepEqual([...rows!.keyIds], [0, 1, 2, 3]);
  assert.deepEqual([...rows!.evictedKeyIds], [-1, -1, 0, 1]);
  assert.ok(events.some((event) => event.type === 'keysEvicted' && event.keys === 2));
});

test('without a time field the time of the record counts', () => {
  const noTime = { ...plan, time: null };
  const [rows] = run([block([{}, {}])], new FeatureState(noTime), { plan: noTime });
  assert.deepEqual([...rows!.timesMs], [0, 1000]);
});

test('restored from what a barrier took along, the rest of the stream is the same', () => {
  const first = block([{ power: 1 }, { power: 2, sensor: 'b' }, { label: null }]);
  const second = block([{ power: 3, sensor: 'c' }, { power: 4 }, { power: 5, sensor: 'b' }], 3);
  const barrier = emptyBarrier();
  const whole = run([first, decodedMark({ barrier }), second]);
  const state = new FeatureState(plan);
  state.restore(barrier.parts.get('derive')!);
  const [rest] = run([second], state);
  assert.deepEqual({ ...rest, release: 0 }, { ...whole[2], release: 0 });
  assert.equal(state.filtered, 1);
});

test('the decoded columns go back to the decoder once, when nothing of the rows is in them any more', () => {
  const decoded = block([{ power: 1 }, { power: 2, label: 'high' }]);
  let returned = 0;
  const recycle = (): void => {
    returned += 1;
    for (const column of [...decoded.numbers, ...decoded.times]) column.fill(99);
  };
  const [rows] = run([{ ...decoded, recycle }]);
  assert.equal(returned, 1);
  assert.deepEqual([...rows!.features], [1, NaN, 2, 1]);
  assert.deepEqual([...rows!.targets], [0, 1]);
  assert.deepEqual([...rows!.timesMs], [5, 5]);
});

test('marks pass in order', () => {
  const barrier = emptyBarrier();
  const seen = run([decodedMark({ barrier }), decodedMark({ isEndOfInput: true })]);
  assert.equal(seen[0]?.barrier, barrier);
  assert.equal(seen[1]?.isEndOfInput, true);
});
