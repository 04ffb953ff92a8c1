import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { LabelStore } from '../../src/trainer/label-store.ts';
import { batchTable, type RowTable } from '../../src/trainer/row-table.ts';
import { batchOf, type Reading } from './support.ts';

const hourMs = 10;

interface Event {
  readonly timeMs: number;
  readonly keyId: number;
  readonly target: number;
  readonly evicted: boolean;
}

function storeOf(toleranceMs: number, pendingRows: number): LabelStore {
  const options = { featureCount: 1, outputCount: 1, contenders: ['main'], horizonMs: hourMs, unknownTarget: 0 };
  return new LabelStore({ ...options, toleranceMs, pendingRows });
}

/** Rows whose only feature and prediction is their number. */
function tableOf(events: readonly Event[], first: number, store: LabelStore): RowTable {
  const batch = batchOf(
    events.map(({ timeMs, keyId, target }, i): Reading => ({
      features: [first + i],
      target,
      timeMs,
      keyId,
      offset: first + i,
    })),
  );
  const rows = { ...batchTable({ ...batch, featureCount: 1 }, store.learnTargets(batch)) };
  return { ...rows, outputs: [Float64Array.from(events, (_, i) => first + i)] };
}

/** The rules again, row by row over one list. */
class Oracle {
  waiting: (Event & { readonly n: number })[] = [];
  unlabelled = 0;
  readonly newest = new Map<number, number>();
  readonly #tolerance: number;
  readonly #limit: number;

  constructor(tolerance: number, limit: number) {
    this.#tolerance = tolerance;
    this.#limit = limit;
  }

  see(event: Event, n: number): { n: number; label: number } | null {
    const away = (row: Event): number => Math.abs(row.timeMs + hourMs - event.timeMs);
    const candidates = this.waiting
      .filter((row) => row.keyId === event.keyId && away(row) <= this.#tolerance)
      .sort((a, b) => away(a) - away(b) || a.timeMs - b.timeMs || a.n - b.n);
    const match = Number.isNaN(event.target) ? undefined : candidates[0];
    this.#leave((row) => row === match, 0);
    const newest = Math.max(this.newest.get(event.keyId) ?? -Infinity, event.timeMs);
    this.newest.set(event.keyId, newest);
    this.#leave((row) => row.keyId === event.keyId && row.timeMs + hourMs + this.#tolerance < newest);
    while (this.waiting.length >= this.#limit) this.#leave((row) => row === this.waiting[0]);
    this.waiting.push({ ...event, n });
    return match === undefined ? null : { n: match.n, label: event.target };
  }

  forget(keyId: number): void {
    this.#leave((row) => row.keyId === keyId);
    this.newest.delete(keyId);
  }

  #leave(isLeaving: (row: Event) => boolean, weight = 1): void {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((row) => !isLeaving(row));
    this.unlabelled += weight * (before - this.waiting.length);
  }
}

const event = fc.record({
  timeMs: fc.integer({ min: 0, max: 60 }),
  keyId: fc.integer({ min: 0, max: 2 }),
  target: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 99 }) },
    { weight: 1, arbitrary: fc.constant(NaN) },
  ),
  evicted: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
});

const inOrder = fc.array(event, { maxLength: 120 }).map((events) => events.toSorted((a, b) => a.timeMs - b.timeMs));

for (const [order, events] of [
  ['in order', inOrder],
  ['out of order', fc.array(event, { maxLength: 120 })],
] as const) {
  it(`matches, expires and overflows as a list searched from end to end, with rows ${order}, saved and restored on the way`, () => {
    const cuts = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        events,
        cuts,
        fc.constantFrom(0, 1, 4),
        fc.constantFrom(3, 70, 1000),
        (stream, cut, tolerance, limit) => {
          let store = storeOf(tolerance, limit);
          const oracle = new Oracle(tolerance, limit);
          for (let first = 0; first < stream.length; first += cut) {
            const part = stream.slice(first, first + cut);
            const matched = store.match(tableOf(part, first, store), hourMs);
            const expected = part.map((each, i) => oracle.see(each, first + i)).filter((match) => match !== null);
            const found = Array.from({ length: matched.rowCount }, (_, i) => ({
              n: matched.offsets[i],
              label: matched.labels[i],
            }));
            assert.deepEqual(found, expected);
            assert.deepEqual([...matched.features], [...matched.offsets]);
            assert.deepEqual([...matched.outputs[0]!], [...matched.offsets]);
            const evicted = part.filter((each) => each.evicted).map((each) => each.keyId);
            store.forget(Int32Array.from(evicted));
            for (const keyId of evicted) oracle.forget(keyId);
            assert.equal(store.pending, oracle.waiting.length);
            assert.equal(store.unlabelled, oracle.unlabelled);
            assert.equal(store.oldestPendingMs, oracle.waiting[0]?.timeMs ?? null);
            const restored = storeOf(tolerance, limit);
            restored.restore(store.snapshot());
            assert.deepEqual(restored.snapshot(), store.snapshot());
            store = restored;
          }
        },
      ),
      { seed: 4, numRuns: 150 },
    );
  });
}

function lastTargets(horizonMs: number | null, batches: readonly (readonly Reading[])[]): number[][] {
  const options = {
    featureCount: 1,
    outputCount: 1,
    contenders: [],
    toleranceMs: 0,
    pendingRows: 10,
    unknownTarget: -1,
  };
  const store = new LabelStore({ ...options, horizonMs });
  return batches.map((readings) => [...store.learnTargets(batchOf(readings))]);
}

it('the latest target of a key is its own under a horizon, the one before without, and the unknown one at first', () => {
  const of = (keyId: number, target: number): Reading => ({ features: [0], keyId, target });
  const stream = [
    [of(1, 5), of(2, NaN), of(1, NaN), of(1, 6)],
    [of(2, 7), of(1, 8)],
  ];
  assert.deepEqual(lastTargets(hourMs, stream), [
    [5, -1, 5, 6],
    [7, 8],
  ]);
  assert.deepEqual(lastTargets(null, stream), [
    [-1, -1, 5, 5],
    [-1, 6],
  ]);
});

it('a long queue of one key, the newest rows first, is no deeper than its logarithm', () => {
  const count = 30_000;
  const store = storeOf(0, count);
  const events = Array.from({ length: count }, (_, i) => ({
    timeMs: -i * hourMs,
    keyId: 0,
    target: NaN,
    evicted: false,
  }));
  // A tree that degenerates to a list overflows the stack here.
  store.match(tableOf(events, 0, store), 1e12);
  store.forget(Int32Array.of(0));
  assert.equal(store.unlabelled, count);
});
