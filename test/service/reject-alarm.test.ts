import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rejectAlarm, type RejectAlarm } from '../../src/service/reject-alarm.ts';

/** An alarm at a half, and the shares that it was raised for. */
function alarmAtHalf(): { alarm: RejectAlarm; shares: number[] } {
  const shares: number[] = [];
  return { alarm: rejectAlarm(0.5, (share) => shares.push(share)), shares };
}

/** One block of `read` records of which `rejected` cannot be used, told in the order of the pipeline. */
function pass(alarm: RejectAlarm, read: number, rejected: number): void {
  const place = { topic: 't', partition: 0, bytes: 0, nextOffset: 0, endOffset: -1, newestTimestampMs: 0 };
  alarm.emit({ type: 'recordsRead', records: read, ...place });
  if (rejected > 0) alarm.emit({ type: 'recordsRejected', reason: 'value.null', records: rejected });
}

describe('rejectAlarm', () => {
  test('is silent as long as each window has enough good records', () => {
    const { alarm, shares } = alarmAtHalf();
    for (let block = 0; block < 20; block++) pass(alarm, 500, 250);
    alarm.end();
    assert.deepEqual(shares, []);
  });

  test('is raised once, when a window of 1,000 records is mostly bad', () => {
    const { alarm, shares } = alarmAtHalf();
    for (let block = 0; block < 4; block++) pass(alarm, 500, 100);
    for (let block = 0; block < 8; block++) pass(alarm, 500, 400);
    alarm.end();
    assert.deepEqual(shares, [0.8]);
  });

  test('judges a short input at its end', () => {
    const { alarm, shares } = alarmAtHalf();
    pass(alarm, 9, 6);
    assert.deepEqual(shares, []);
    alarm.end();
    assert.equal(shares.length, 1);
  });

  test('is not raised by a few bad records at the end of a good stream', () => {
    const { alarm, shares } = alarmAtHalf();
    pass(alarm, 1000, 0);
    pass(alarm, 3, 3);
    alarm.end();
    assert.deepEqual(shares, []);
  });

  test('is silent about an empty input', () => {
    const { alarm, shares } = alarmAtHalf();
    alarm.end();
    assert.deepEqual(shares, []);
  });
});
