import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { TrialRows, trialSlices, type TrialRowsOptions } from '../../src/operators/trial-rows.ts';
import type { RowBlock, TrialSlices } from '../../src/records.ts';
import { CounterRandom } from '../../src/sensors/counter-random.ts';

const options: TrialRowsOptions = { featureCount: 2, horizonMs: null, toleranceMs: 0, rows: 200, memory: 5 };

interface Row {
  readonly offset: number;
  readonly target?: number;
  readonly timeMs?: number;
  readonly keyId?: number;
  readonly evicts?: number;
}

/** Rows whose first feature is their offset. */
function block(rows: readonly Row[], over: Partial<RowBlock> = {}): RowBlock {
  const column = (of: (row: Row) => number): Float64Array => Float64Array.from(rows, of);
  return {
    barrier: null,
    isEndOfInput: false,
    release: () => undefined,
    originId: 0,
    partition: 0,
    isScored: true,
    rowCount: rows.length,
    featureCount: 2,
    features: Float64Array.from(rows.flatMap(({ offset }) => [offset, Number.NaN])),
    targets: column(({ target, offset }) => target ?? 10 * offset),
    timesMs: column(({ timeMs, offset }) => timeMs ?? 1000 * offset),
    timestampsMs: column(() => 0),
    offsets: column(({ offset }) => offset),
    keyIds: Int32Array.from(rows, ({ keyId }) => keyId ?? 0),
    evictedKeyIds: Int32Array.from(rows, ({ evicts }) => evicts ?? -1),
    ...over,
  };
}

const range = (from: number, to: number): Row[] => Array.from({ length: to - from }, (_, n) => ({ offset: from + n }));

function slices(rows: TrialRows, { rows: limit } = options): TrialSlices {
  return trialSlices(rows.snapshot(), limit);
}

const offsetsOf = ({ features }: TrialSlices['recent']): number[] => [...features.filter((_, at) => at % 2 === 0)];

suite('TrialRows', () => {
  test('keeps nothing of an empty stream, and one row of one', () => {
    const rows = new TrialRows(options);
    rows.learn(block([]));
    rows.endInterval();
    assert.deepEqual([slices(rows).recent.rowCount, slices(rows).past.rowCount], [0, 0]);
    rows.learn(block(range(3, 4)));
    rows.endInterval();
    const { recent } = slices(rows);
    assert.deepEqual([offsetsOf(recent), [...recent.labels], [...recent.ownTargets]], [[3], [30], [Number.NaN]]);
  });

  test('has recent rows of the newest interval, and a share of each of those before as far as it remembers', () => {
    const rows = new TrialRows(options);
    for (let interval = 0; interval < 12; interval += 1) {
      rows.learn(block(range(1000 * interval, 1000 * interval + 1000)));
      rows.endInterval();
    }
    const { recent, past } = slices(rows);
    assert.equal(recent.rowCount, 100);
    assert.ok(offsetsOf(recent).every((offset) => offset >= 11_000));
    const perInterval = offsetsOf(past).map((offset) => Math.floor(offset / 1000));
    assert.deepEqual(
      [6, 7, 8, 9, 10].map((interval) => perInterval.filter((each) => each === interval).length),
      [20, 20, 20, 20, 20],
    );
    assert.equal(past.rowCount, 100);
    for (const slice of [recent, past]) {
      const offsets = offsetsOf(slice);
      assert.deepEqual(
        offsets,
        [...offsets].sort((a, b) => a - b),
        'in the order of the stream',
      );
      assert.deepEqual(
        [...slice.labels],
        offsets.map((offset) => 10 * offset),
      );
    }
  });

  test('takes earlier intervals for recent where the newest has few rows', () => {
    const rows = new TrialRows(options);
    for (let interval = 0; interval < 10; interval += 1) {
      rows.learn(block(range(30 * interval, 30 * interval + 30)));
      rows.endInterval();
    }
    const { recent, past } = slices(rows);
    assert.deepEqual(
      offsetsOf(recent),
      range(180, 300).map(({ offset }) => offset),
    );
    assert.equal(past.rowCount, 5 * 20);
    rows.endInterval();
    assert.deepEqual(slices(rows), { recent, past }, 'an interval without a label is none');
  });

  test('gives every row the same chance, whatever the period of the stream', () => {
    const rows = new TrialRows({ ...options, rows: 2000 });
    rows.learn(block(range(0, 64_000)));
    rows.endInterval();
    const offsets = offsetsOf(slices(rows).recent);
    assert.equal(offsets.length, 1000);
    for (const period of [2, 4, 7, 64]) {
      const counts = Array.from({ length: period }, (_, at) => offsets.filter((each) => each % period === at).length);
      const expected = 1000 / period;
      const deviations = counts.map((count) => Math.abs(count - expected) / Math.sqrt(expected));
      assert.ok(Math.max(...deviations) < 4, `period ${period}: ${counts.join()}`);
    }
  });

  test('leaves later passes over bounded data out', () => {
    const rows = new TrialRows(options);
    rows.learn(block(range(0, 50), { isScored: false }));
    rows.endInterval();
    assert.equal(slices(rows).recent.rowCount, 0);
  });

  test('goes on from a snapshot as if it had never stopped', () => {
    for (const horizonMs of [null, 7000]) {
      const own = { ...options, horizonMs, toleranceMs: 500 };
      const [whole, first] = [new TrialRows(own), new TrialRows(own)];
      const feed = (rows: TrialRows, from: number, to: number): void => {
        for (let interval = from; interval < to; interval += 1) {
          rows.learn(block(range(150 * interval, 150 * interval + 150)));
          rows.endInterval();
        }
      };
      feed(whole, 0, 9);
      feed(first, 0, 4);
      const second = new TrialRows(own);
      second.restore(first.snapshot());
      feed(second, 4, 9);
      assert.deepEqual(second.snapshot(), whole.snapshot());
    }
  });
});

suite('TrialRows under a horizon', () => {
  const own: TrialRowsOptions = { ...options, horizonMs: 3000, toleranceMs: 400 };

  test('joins rows with the labels that come later, each the nearest at its key, as a plain search does', () => {
    const random = new CounterRandom(5);
    const stream = Array.from({ length: 300 }, (_, n): Row & { timeMs: number; keyId: number; target: number } => ({
      offset: n,
      keyId: Math.floor(4 * random.uniform(0, n)),
      timeMs: 250 * n + Math.floor(600 * random.uniform(1, n)),
      target: random.uniform(2, n) < 0.1 ? Number.NaN : n,
    }));
    const expected = new Map<number, number>();
    let waiting: typeof stream = [];
    for (const row of stream) {
      const wantedMs = row.timeMs - 3000;
      const distance = (each: { readonly timeMs: number }): number => Math.abs(each.timeMs - wantedMs);
      const near = waiting.filter((each) => each.keyId === row.keyId && distance(each) <= 400);
      near.sort((a, b) => distance(a) - distance(b) || a.timeMs - b.timeMs);
      if (!Number.isNaN(row.target) && near[0] !== undefined) {
        expected.set(near[0].offset, row.target);
        waiting.splice(waiting.indexOf(near[0]), 1);
      }
      // Rows whose label would have come by now expire.
      waiting = waiting.filter((each) => each.keyId !== row.keyId || each.timeMs + 3400 >= row.timeMs);
      waiting.push(row);
    }
    const rows = new TrialRows({ ...own, rows: 2000 });
    for (let start = 0; start < stream.length; start += 37) rows.learn(block(stream.slice(start, start + 37)));
    rows.endInterval();
    const { recent } = slices(rows, { ...own, rows: 2000 });
    assert.ok(expected.size > 100, `${expected.size} labels`);
    assert.deepEqual(new Map(offsetsOf(recent).map((offset, row) => [offset, recent.labels[row]!])), expected);
    assert.deepEqual(
      [...recent.ownTargets],
      offsetsOf(recent).map((offset) => stream[offset]!.target),
    );
  });

  test('forgets rows whose key is evicted', () => {
    const rows = new TrialRows(own);
    rows.learn(
      block([
        { offset: 0, keyId: 1, timeMs: 0 },
        { offset: 1, keyId: 2, timeMs: 0, evicts: 1 },
        { offset: 2, keyId: 1, timeMs: 3000 },
        { offset: 3, keyId: 2, timeMs: 3000 },
      ]),
    );
    rows.endInterval();
    assert.deepEqual(offsetsOf(slices(rows, own).recent), [1]);
  });

  test('lets no more rows wait than it keeps, however far the horizon, and fewer of each interval', () => {
    const far = new TrialRows({ ...own, horizonMs: 20_000_000 });
    for (let interval = 0; interval < 40; interval += 1) {
      far.learn(block(range(1000 * interval, 1000 * interval + 1000)));
      far.endInterval();
      assert.ok(far.snapshot().arrays['waiting.keyIds']!.length <= 200);
    }
    const { recent } = slices(far, own);
    assert.ok(recent.rowCount >= 50, `${recent.rowCount} rows`);
  });
});
