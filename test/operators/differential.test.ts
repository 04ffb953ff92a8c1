import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat, from, map, of } from 'rxjs';
import { batch } from '../../src/operators/batch.ts';
import { Batcher } from '../../src/operators/batcher.ts';
import { derive } from '../../src/operators/derive.ts';
import { featureColumns, fieldPlanOf, type FeaturePlan } from '../../src/operators/feature-plan.ts';
import { FeatureState } from '../../src/operators/feature-state.ts';
import { normalize } from '../../src/operators/normalize.ts';
import { RunningMoments } from '../../src/operators/running-moments.ts';
import type { Barrier, Batch, DecodedBlock, Snapshot } from '../../src/records.ts';
import { silentTelemetry, type TelemetryEvent } from '../../src/telemetry.ts';
import { decodedBlock, decodedMark, emptyBarrier } from '../support/blocks.ts';
import { ReferenceDerive, ReferenceMoments, referenceBatch, type ReferenceRow } from '../support/reference-rows.ts';

interface Reading {
  readonly power: number;
  readonly wind: number;
  readonly site: string | null;
  readonly sensor: string | null;
  readonly at: number;
}

/** A cut of the stream: so many rows of one partition. */
interface Cut {
  readonly rows: number;
  readonly partition: number;
  readonly isScored: boolean;
}

const missing = { arbitrary: fc.constant(NaN), weight: 1 };
const reading: fc.Arbitrary<Reading> = fc.record({
  power: fc.oneof({ arbitrary: fc.double({ noNaN: true, min: -1e9, max: 1e9 }), weight: 6 }, missing),
  wind: fc.oneof({ arbitrary: fc.double({ noNaN: true, min: 0, max: 360 }), weight: 6 }, missing),
  site: fc.constantFrom(null, 'a', 'b', 'c', 'd'),
  sensor: fc.constantFrom(null, '', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6'),
  at: fc.oneof({ arbitrary: fc.nat(1e6), weight: 8 }, missing),
});
const cut: fc.Arbitrary<Cut> = fc.record({
  rows: fc.integer({ min: 0, max: 30 }),
  partition: fc.nat(2),
  isScored: fc.boolean(),
});

const features: FeaturePlan['features'] = [
  { name: 'power', field: 'power', kind: 'plain' },
  { name: 'wind', field: 'wind', kind: 'cyclic', period: 360 },
  { name: 'before', field: 'power', kind: 'lag', rows: 1 },
  { name: 'site', field: 'site', kind: 'oneHot', max: 2 },
  { name: 'longBefore', field: 'power', kind: 'lag', rows: 3 },
  { name: 'windBefore', field: 'wind', kind: 'lag', rows: 2 },
];
const target = {
  field: 'power',
  kind: 'number',
  hasHorizon: false,
  as: 'value',
  classes: null,
  maxClasses: 3,
} as const;
const byClass = { ...target, field: 'site', kind: 'class' } as const;
const plan: fc.Arbitrary<FeaturePlan> = fc.record({
  features: fc.shuffledSubarray([...features], { minLength: 1 }),
  key: fc.constantFrom('sensor', 'sensor', null),
  time: fc.constantFrom('at', null),
  target: fc.constantFrom(
    target,
    { ...target, hasHorizon: true },
    { ...target, hasHorizon: true, as: 'change' as const },
    byClass,
    { ...byClass, hasHorizon: true },
    { ...byClass, classes: ['c', 'a'] },
  ),
  maxKeys: fc.integer({ min: 1, max: 7 }),
});

/** The readings as decoded blocks: the cuts one after the other, then the rest in one. */
function blocksOf(readings: readonly Reading[], cuts: readonly Cut[], plan: FeaturePlan): DecodedBlock[] {
  const { numbers, texts, times } = fieldPlanOf(plan);
  const blocks: DecodedBlock[] = [];
  let start = 0;
  for (const { rows, partition, isScored } of [...cuts, { rows: readings.length, partition: 0, isScored: true }]) {
    const part = readings.slice(start, start + rows);
    const block = decodedBlock({
      numbers: numbers.map((field) => part.map((each) => each[field as 'power'])),
      texts: texts.map((field) => part.map((each) => each[field as 'site'])),
      times: times.map((field) => part.map((each) => each[field as 'at'])),
      firstOffset: start,
    });
    blocks.push({ ...block, rowCount: part.length, originId: partition + 5, partition, isScored });
    start += part.length;
  }
  return blocks;
}

const batchRows = 8;
const memory = 20;

/** The chain as a pipeline has it: batches as they look when they are observed, and what a barrier behind all took along. */
function chain(blocks: readonly DecodedBlock[], plan: FeaturePlan) {
  const state = new FeatureState(plan);
  const moments = new RunningMoments(
    state.columns.map(({ isScaled }) => isScaled),
    memory,
  );
  const events: TelemetryEvent[] = [];
  const telemetry = { emit: (event: TelemetryEvent) => void events.push(event) };
  const rejects: unknown[] = [];
  const barrier = emptyBarrier();
  const batches: ReturnType<typeof referenceBatch>[] = [];
  const batching = { maxDelayMs: null, featureCount: state.featureCount, telemetry: silentTelemetry };
  concat(from(blocks), of(decodedMark({ barrier }), decodedMark({ isEndOfInput: true })))
    .pipe(
      derive(state, {
        plan,
        telemetry,
        onReject: (source, index, reason) => rejects.push([source.offsets[index], reason]),
      }),
      normalize(moments, silentTelemetry),
      batch(new Batcher(batchRows, state.featureCount), batching),
      map((each) => {
        const observed = columnsOf(each);
        each.release();
        return observed;
      }),
    )
    .subscribe((each) => {
      if (each.rowCount > 0) batches.push(each);
    });
  return { batches, barrier, rejects, missed: missedOf(events) };
}

/** Copies, since the arrays of a released batch may be written to again. */
function columnsOf(rows: Batch): ReturnType<typeof referenceBatch> {
  return {
    rowCount: rows.rowCount,
    features: rows.features.slice(),
    targets: rows.targets.slice(),
    timesMs: rows.timesMs.slice(),
    timestampsMs: rows.timestampsMs.slice(),
    offsets: rows.offsets.slice(),
    keyIds: rows.keyIds.slice(),
    originIds: rows.originIds.slice(),
    partitions: rows.partitions.slice(),
    isScored: rows.isScored.slice(),
    evictedKeyIds: rows.evictedKeyIds.slice(),
  };
}

function missedOf(events: readonly TelemetryEvent[]): Record<string, number> {
  const missed: Record<string, number> = {};
  for (const event of events) {
    if (event.type === 'valuesMissed') missed[event.field] = (missed[event.field] ?? 0) + event.values;
  }
  return missed;
}

/** The same by the plain reference. */
function reference(blocks: readonly DecodedBlock[], plan: FeaturePlan) {
  const deriving = new ReferenceDerive(plan);
  const columns = featureColumns(plan.features);
  const moments = columns.map(() => new ReferenceMoments(memory));
  const rows = blocks
    .flatMap((block) => deriving.take(block))
    .map((row): ReferenceRow => ({
      ...row,
      features: row.features.map((value, column) => {
        if (columns[column]!.isScaled) return moments[column]!.normalize(value);
        return Number.isNaN(value) ? 0 : value;
      }),
    }));
  const batches: ReturnType<typeof referenceBatch>[] = [];
  for (let at = 0; at < rows.length; at += batchRows) batches.push(referenceBatch(rows.slice(at, at + batchRows)));
  const column = (name: 'count' | 'mean' | 'm2'): Float64Array => Float64Array.from(moments, (each) => each[name]);
  const parts = {
    derive: deriving.snapshot(),
    normalize: { json: {}, arrays: { counts: column('count'), means: column('mean'), m2s: column('m2') } },
    batch: partialOf(rows.slice(rows.length - (rows.length % batchRows))),
  };
  return { batches, parts, rejects: deriving.rejects, missed: deriving.missed };
}

function partialOf(rows: readonly ReferenceRow[]): Snapshot {
  const { rowCount, ...arrays } = referenceBatch(rows);
  assert.equal(rowCount, rows.length);
  return {
    json: {},
    arrays: { ...arrays, evictedKeyIds: Int32Array.from(rows, ({ evictedKeyId }) => evictedKeyId) },
  };
}

/** Bit by bit: two zeros or two NaNs of another kind would differ. */
function bitsOf({ json, arrays }: Snapshot): unknown {
  return [
    json,
    ...Object.entries(arrays)
      .sort()
      .map(([name, array]) => [name, array.constructor.name, bytes(array)]),
  ];
}

function bytes(array: { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly byteLength: number }) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex');
}

function batchBits({ rowCount, ...arrays }: ReturnType<typeof referenceBatch>): unknown {
  return bitsOf({ json: rowCount, arrays });
}

test('derive, normalize and batch do bit by bit what a plain row-by-row reference does, however blocks are cut', () => {
  fc.assert(
    fc.property(
      plan,
      fc.array(reading, { maxLength: 120 }),
      fc.array(cut, { maxLength: 8 }),
      (plan, readings, cuts) => {
        const blocks = blocksOf(readings, cuts, plan);
        const expected = reference(blocks, plan);
        const actual = chain(blocks, plan);
        assert.deepEqual(actual.batches.map(batchBits), expected.batches.map(batchBits));
        assert.deepEqual(actual.rejects, expected.rejects);
        assert.deepEqual(actual.missed, expected.missed);
        for (const [name, part] of Object.entries(expected.parts)) {
          assert.deepEqual(bitsOf(partOf(actual.barrier, name)), bitsOf(part), name);
        }
      },
    ),
    { seed: 20_240_501, numRuns: 400 },
  );
});

function partOf({ parts }: Barrier, name: string): Snapshot {
  const part = parts.get(name);
  assert.ok(part !== undefined);
  return part;
}
