import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { betterBy, sentenceOf } from '../../src/serving/sentence.ts';
import type { Facts } from '../../src/serving/sentence.ts';

const at = (time: string): number => new Date(`2026-03-01T${time}`).getTime();

const facts: Facts = {
  state: 'learning',
  nowMs: at('12:05:00'),
  reasons: [],
  warnings: [],
  records: { read: 26_115, trained: 26_065, rejected: 0, filtered: 1, unlabelled: 46, pending: 3 },
  rowsPerSecond: 1240,
  comparison: { metric: 'mae', score: 1.0233, baselineScore: 1.201, baselineKind: 'lastValue' },
  lagRecords: 12,
  lagSeconds: 0.3,
  lastLearnedMs: at('12:04:48'),
};

const cases: Readonly<Record<string, [Partial<Facts>, string]>> = {
  'while it learns': [{}, 'Learning 1,240 rows/s; 14.8 % better than last value; 0.3 s behind the log.'],
  'when nothing is left to read': [
    { lagSeconds: 0 },
    'Learning 1,240 rows/s; 14.8 % better than last value; up to the end of the log.',
  ],
  'where the source has no end to be behind of, before the first score': [
    { lagRecords: null, comparison: null },
    'Learning 1,240 rows/s.',
  ],
  'when the model is worse': [
    { lagRecords: null, comparison: { metric: 'mae', score: 1.32, baselineScore: 1.2, baselineKind: 'mean' } },
    'Learning 1,240 rows/s; 10.0 % worse than the mean.',
  ],
  'for classes': [
    {
      lagRecords: null,
      comparison: { metric: 'accuracy', score: 0.912, baselineScore: 0.531, baselineKind: 'majority' },
    },
    'Learning 1,240 rows/s; 91.2 % right (the majority class: 53.1 %).',
  ],
  'at the start': [
    { state: 'starting', reasons: [{ message: 'the source has not joined yet', sinceMs: 0 }] },
    'Starting: the source has not joined yet.',
  ],
  'in trouble, since the first of the reasons': [
    {
      state: 'troubled',
      reasons: [
        { message: 'cannot reach the broker at localhost:9092.', sinceMs: at('12:04:10') },
        { message: 'too many records are bad', sinceMs: at('12:04:30') },
      ],
    },
    'Not ready since 12:04:10: cannot reach the broker at localhost:9092; too many records are bad.',
  ],
  'with a warning': [
    {
      lagRecords: null,
      comparison: null,
      warnings: [{ message: 'checkpoints fail: no space left', sinceMs: at('12:04:10') }],
    },
    'Learning 1,240 rows/s. But since 12:04:10: checkpoints fail: no space left.',
  ],
  'when the stream is quiet': [
    { state: 'waiting', lagRecords: 0, lagSeconds: 0, comparison: null },
    'Waiting for records: all so far are learned, the latest 12 s ago.',
  ],
  'when records wait and nothing moves': [
    { state: 'waiting', comparison: null },
    'Nothing learned for 12 s while records wait.',
  ],
  'before the first record': [
    { state: 'waiting', lastLearnedMs: null, comparison: null, records: { ...zero(), read: 0 } },
    'Ready: no record has been learned so far.',
  ],
  'after a restart, before the next record': [
    { state: 'waiting', lastLearnedMs: null },
    'Ready: 26,065 records were learned so far; 14.8 % better than last value.',
  ],
  'at the end': [
    { state: 'finished' },
    'Everything is learned: 26,065 of 26,115 records trained (46 unlabelled, 3 pending, 1 filtered); MAE 1.023 against 1.201; 14.8 % better than last value.',
  ],
};

function zero() {
  return { read: 0, trained: 0, rejected: 0, filtered: 0, unlabelled: 0, pending: 0 };
}

suite('sentenceOf says how it goes', () => {
  for (const [when, [changes, expected]] of Object.entries(cases)) {
    test(when, () => {
      assert.equal(sentenceOf({ ...facts, ...changes }), expected);
    });
  }
});

test('a baseline without error leaves nothing to compare with', () => {
  assert.equal(betterBy({ metric: 'mae', score: 1, baselineScore: 0, baselineKind: 'mean' }), null);
});
