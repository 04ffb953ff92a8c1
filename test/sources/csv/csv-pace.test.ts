import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Pace } from '../../../src/sources/csv/csv-pace.ts';

suite('Pace', () => {
  test('the first event is due now, later ones after their distance by the speed', () => {
    const pace = new Pace(3600, { now: () => 5000, waitUntil: () => Promise.resolve() });
    assert.equal(pace.dueMs(1_000_000), 5000);
    assert.equal(pace.dueMs(1_000_000 + 3_600_000), 6000);
    assert.equal(pace.dueMs(1_000_000 + 1_800_000), 5500);
  });

  test('an event without a time is due with the one before it', () => {
    const pace = new Pace(1, { now: () => 0, waitUntil: () => Promise.resolve() });
    assert.equal(pace.dueMs(NaN), -Infinity);
    pace.dueMs(0);
    pace.dueMs(700);
    assert.equal(pace.dueMs(NaN), 700);
  });
});
