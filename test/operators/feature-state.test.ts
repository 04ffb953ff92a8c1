import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FeaturePlan } from '../../src/operators/feature-plan.ts';
import type { FeatureRows } from '../../src/operators/feature-state.ts';
import { KeptRows } from '../../src/operators/kept-rows.ts';
import { FeatureState } from '../../src/operators/feature-state.ts';
import type { Snapshot } from '../../src/records.ts';

const plan: FeaturePlan = {
  features: [
    { name: 'power', field: 'power', kind: 'plain' },
    { name: 'wind', field: 'wind', kind: 'cyclic', period: 360 },
    { name: 'site', field: 'site', kind: 'oneHot', max: 2 },
    { name: 'before', field: 'power', kind: 'lag', rows: 1 },
    { name: 'longBefore', field: 'power', kind: 'lag', rows: 3 },
  ],
  key: 'sensor',
  time: null,
  target: { field: 'power', kind: 'number', hasHorizon: true, as: 'value', classes: null, maxClasses: 32 },
  maxKeys: 3,
};

interface Reading {
  readonly power: number;
  readonly wind: number;
  readonly site: string | null;
  readonly sensor: string;
}

/** Columns in the order of the field plan: power, wind; site, sensor. */
function rowsOf(readings: readonly Reading[]): FeatureRows {
  return {
    numbers: [Float64Array.from(readings, (each) => each.power), Float64Array.from(readings, (each) => each.wind)],
    texts: [readings.map((each) => each.site), readings.map((each) => each.sensor)],
  };
}

function advanceAll(state: FeatureState, readings: readonly Reading[]): { features: Float64Array; ids: number[] } {
  const kept = new KeptRows();
  kept.reset(readings.length);
  const ids = readings.map(({ sensor }, row) => {
    const slot = state.keys.see(sensor);
    kept.add(row, slot, state.keys.isNew);
    return state.keys.idOf(slot);
  });
  const features = new Float64Array(readings.length * state.featureCount);
  state.advance(rowsOf(readings), kept, features);
  return { features, ids };
}

const reading = fc.record({
  power: fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(NaN)),
  wind: fc.integer({ min: 0, max: 360 }),
  site: fc.constantFrom(null, 'a', 'b', 'c', 'd'),
  sensor: fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5'),
});
const settings = { seed: 4711, numRuns: 200 };

test('plain, cyclic, one-hot and lag features of two keys', () => {
  const state = new FeatureState(plan);
  const { features, ids } = advanceAll(state, [
    { power: 1, wind: 90, site: 'x', sensor: 'a' },
    { power: 2, wind: NaN, site: 'y', sensor: 'b' },
    { power: 3, wind: 0, site: 'z', sensor: 'a' },
    { power: NaN, wind: 0, site: null, sensor: 'a' },
    { power: 5, wind: 180, site: 'x', sensor: 'a' },
  ]);
  assert.deepEqual(ids, [0, 1, 0, 0, 0]);
  const row = (index: number): number[] =>
    [...features.subarray(index * 8, index * 8 + 8)].map((value) => Math.round(value * 1e9) / 1e9 + 0);
  assert.deepEqual(row(0), [1, 1, 0, 1, 0, 0, NaN, NaN]);
  assert.deepEqual(row(1), [2, NaN, NaN, 0, 1, 0, NaN, NaN]);
  assert.deepEqual(row(2), [3, 0, 1, 0, 0, 1, 1, NaN]);
  assert.deepEqual(row(3), [NaN, 0, 1, 0, 0, 0, 3, NaN]);
  assert.deepEqual(row(4), [5, 0, -1, 1, 0, 0, NaN, 1]);
  assert.deepEqual([...state.missedValues], [1, 1, 1, 3, 4]);
});

test('a key that comes back after it was evicted has a new id and no lags', () => {
  const state = new FeatureState({ ...plan, maxKeys: 1 });
  const { features, ids } = advanceAll(
    state,
    ['a', 'b', 'a'].map((sensor, index) => ({ power: index, wind: 0, site: null, sensor })),
  );
  assert.deepEqual(ids, [0, 1, 2]);
  assert.ok(Number.isNaN(features[2 * 8 + 6]!));
});

test('peek gives bit by bit what advance would, and changes nothing', () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 40 }), (readings) => {
      const state = new FeatureState(plan);
      const rows = rowsOf(readings);
      for (const [row, { sensor }] of readings.entries()) {
        const before = JSON.stringify(state.snapshot());
        const peeked = new Float64Array(state.featureCount);
        state.peek(rows, row, sensor, peeked);
        assert.equal(JSON.stringify(state.snapshot()), before);
        const { features } = advanceAll(state, [readings[row]!]);
        assert.deepEqual(Buffer.from(peeked.buffer), Buffer.from(features.buffer));
      }
    }),
    settings,
  );
});

test('a state restored in mid-stream goes on bit by bit', () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 40 }), fc.nat(40), (readings, cut) => {
      const original = new FeatureState(plan);
      advanceAll(original, readings.slice(0, cut));
      const snapshot = original.snapshot();
      const restored = new FeatureState(plan);
      const json = JSON.parse(JSON.stringify(snapshot.json)) as Snapshot['json'];
      restored.restore({ json, arrays: snapshot.arrays });
      const expected = advanceAll(original, readings.slice(cut));
      const actual = advanceAll(restored, readings.slice(cut));
      assert.deepEqual(actual.ids, expected.ids);
      assert.deepEqual(Buffer.from(actual.features.buffer), Buffer.from(expected.features.buffer));
      assert.deepEqual(restored.snapshot(), original.snapshot());
    }),
    settings,
  );
});

test('a snapshot of another plan is refused', () => {
  const other = new FeatureState({ ...plan, features: plan.features.slice(0, 2) });
  assert.throws(() => {
    other.restore(new FeatureState(plan).snapshot());
  }, /another feature plan/);
});

function targetOrFault(state: FeatureState, rows: FeatureRows, row: number): unknown {
  const target = state.targetOf(rows, row);
  return Number.isNaN(target) ? (state.targetFault(rows, row) ?? target) : target;
}

test('a missing target is one only where the label comes later as a value', () => {
  const rows = rowsOf([{ power: NaN, wind: 0, site: null, sensor: 'a' }]);
  const target = (change: Partial<FeaturePlan['target']>): unknown =>
    targetOrFault(new FeatureState({ ...plan, target: { ...plan.target, ...change } }), rows, 0);
  assert.deepEqual(target({}), NaN);
  assert.equal(target({ as: 'change' }), 'target.missing');
  assert.equal(target({ hasHorizon: false }), 'target.missing');
  const byClass = { field: 'site', kind: 'class' as const };
  assert.deepEqual(target(byClass), NaN);
  assert.equal(target({ ...byClass, hasHorizon: false }), 'target.missing');
});

test('classes are declared, or found in order of appearance and kept across a restart', () => {
  const rows = rowsOf(['x', 'y', 'x', 'z'].map((site) => ({ power: 0, wind: 0, site, sensor: 'a' })));
  const targets = (state: FeatureState): unknown[] => [0, 1, 2, 3].map((row) => targetOrFault(state, rows, row));
  const target = { ...plan.target, field: 'site', kind: 'class' as const, hasHorizon: false };
  const declared = new FeatureState({ ...plan, target: { ...target, classes: ['z', 'x'] } });
  assert.deepEqual(targets(declared), [1, 'target.unknownClass', 1, 0]);
  const found = new FeatureState({ ...plan, target: { ...target, maxClasses: 2 } });
  assert.deepEqual(targets(found), [0, 1, 0, 'target.tooManyClasses']);
  const restored = new FeatureState({ ...plan, target: { ...target, maxClasses: 2 } });
  restored.restore(found.snapshot());
  assert.deepEqual(restored.classes.names, ['x', 'y']);
});

test('without a key in the config all rows are of one', () => {
  const rows = { numbers: [], texts: [['x'], ['a']] };
  assert.equal(new FeatureState({ ...plan, key: null }).keysOf(rows), null);
  assert.deepEqual(new FeatureState(plan).keysOf(rows), ['a']);
});
