import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Progress } from '../src/progress.ts';
import type { TelemetryEvent } from '../src/telemetry.ts';
import { batchObserved } from './support/step-reports.ts';

function read(records: number, at: { partition?: number; next: number; end: number; ms: number }): TelemetryEvent {
  return {
    type: 'recordsRead',
    topic: 'readings',
    partition: at.partition ?? 0,
    records,
    bytes: records * 10,
    nextOffset: at.next,
    endOffset: at.end,
    newestTimestampMs: at.ms,
  };
}

suite('Progress', () => {
  test('every record read has one outcome, and what has none is pending', () => {
    const progress = new Progress(() => 0);
    progress.emit(read(100, { next: 100, end: 100, ms: 0 }));
    progress.emit({ type: 'recordsRejected', reason: 'avro.invalid', records: 3 });
    progress.emit({ type: 'recordsFiltered', reason: 'target.missing', records: 2 });
    progress.emit(batchObserved({ rowCount: 90, outcomes: { trained: 80, rejected: 1, unlabelled: 4, pending: 5 } }));
    assert.deepEqual(progress.outcomes, {
      read: 100,
      trained: 80,
      rejected: 4,
      filtered: 2,
      unlabelled: 4,
      pending: 10,
    });
  });

  test('after a restore the whole life goes on and the run starts from nothing', () => {
    const progress = new Progress(() => 0);
    const trainer = { trained: 900, rejected: 5, unlabelled: 10, pending: 20 };
    progress.restore({ read: 1000, trained: 900, rejected: 30, filtered: 40, unlabelled: 10, pending: 20 }, trainer);
    progress.emit(read(10, { next: 1010, end: 1010, ms: 0 }));
    progress.emit(batchObserved({ rowCount: 10, outcomes: { ...trainer, trained: 910 } }));
    assert.deepEqual(progress.outcomes, {
      read: 1010,
      trained: 910,
      rejected: 30,
      filtered: 40,
      unlabelled: 10,
      pending: 20,
    });
    assert.deepEqual(progress.outcomesOfRun, {
      read: 10,
      trained: 10,
      rejected: 0,
      filtered: 0,
      unlabelled: 0,
      pending: 0,
    });
  });

  test('lag counts the records between what was read and the end of each partition', () => {
    const progress = new Progress(() => 0);
    progress.emit(read(10, { next: 10, end: 25, ms: 0 }));
    progress.emit(read(10, { partition: 1, next: 10, end: -1, ms: 0 }));
    assert.deepEqual(
      progress.lags.map((lag) => lag.records),
      [15, null],
    );
    progress.emit({ type: 'endOffsetSeen', topic: 'readings', partition: 0, endOffset: 40 });
    assert.equal(progress.lags[0]?.records, 30);
    assert.equal(progress.lags[0].nextOffset, 10);
  });

  test('lag seconds is the age of the oldest record that the trainer has not seen', () => {
    let now = 10_000;
    const progress = new Progress(() => now);
    assert.equal(progress.lagSeconds, 0);
    progress.emit(read(10, { next: 10, end: 20, ms: 4_000 }));
    progress.emit(read(10, { next: 20, end: 20, ms: 9_000 }));
    assert.equal(progress.lagSeconds, 6);
    progress.emit(batchObserved({ rowCount: 10 }));
    assert.equal(progress.lagSeconds, 1);
    progress.emit({ type: 'recordsRejected', reason: 'value.null', records: 10 });
    now = 60_000;
    assert.equal(progress.lagSeconds, 0, 'nothing waits, so nothing is late, however long ago the last record was');
    progress.emit({ type: 'endOffsetSeen', topic: 'readings', partition: 0, endOffset: 21 });
    assert.equal(progress.lagSeconds, 51);
  });

  test('freshness follows the record timestamp, event-time lag the event time, neither below 0', () => {
    const progress = new Progress(() => 100_000);
    assert.equal(progress.freshnessSeconds, null);
    assert.equal(progress.eventTimeLagSeconds, null);
    progress.emit(batchObserved({ rowCount: 1, newestTimestampMs: 98_500, newestTimeMs: 0 }));
    assert.equal(progress.freshnessSeconds, 1.5);
    assert.equal(progress.eventTimeLagSeconds, 100);
    progress.emit(batchObserved({ rowCount: 1, newestTimestampMs: 200_000 }));
    assert.equal(progress.freshnessSeconds, 0);
  });

  test('blocks in flight stay bounded when nothing is ever observed', () => {
    const progress = new Progress(() => 10_000);
    for (let block = 1; block <= 10_000; block += 1) progress.emit(read(1, { next: block, end: block, ms: block }));
    progress.emit(batchObserved({ rowCount: 4095 }));
    assert.equal(progress.lagSeconds, (10_000 - 4096) / 1000);
    progress.emit(batchObserved({ rowCount: 10_000 - 4095 }));
    assert.equal(progress.lagSeconds, 0);
  });
});
