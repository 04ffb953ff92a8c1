import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadingPositions, type PositionOptions } from '../../../src/sources/kafka/reading-positions.ts';
import { recordedTelemetry } from '../../support/kafka/read-source.ts';

const range = (partition: number, firstOffset: number, endOffset: number) => ({
  topic: 't',
  partition,
  firstOffset,
  endOffset,
});

const make = (more: Partial<PositionOptions> = {}) => {
  const telemetry = recordedTelemetry();
  const options = { topics: ['t'], start: 'earliest', onOutOfRange: 'stop', positions: [], isBounded: false } as const;
  return { telemetry, positions: new ReadingPositions({ ...options, ...more }, telemetry) };
};

const known = (partition: number, nextOffset: number) => ({ topic: 't', partition, nextOffset, epoch: 3 });

test('partitions begin where the checkpoint says, and where it says nothing of the topic, at start', () => {
  for (const [start, expected] of [
    ['earliest', 5],
    ['latest', 20],
    [1000, 12],
  ] as const) {
    const { positions } = make({ start });
    positions.begin([range(0, 5, 20)], new Map([['t:0', 12]]));
    assert.equal(positions.find('t', 0)?.nextOffset, expected);
  }
  const { positions } = make({ start: 'latest', positions: [known(0, 7)] });
  positions.begin([range(0, 5, 20), range(1, 2, 9)], new Map());
  assert.equal(positions.find('t', 0)?.nextOffset, 7);
  assert.equal(positions.find('t', 0)?.epoch, 3);
  assert.equal(
    positions.find('t', 1)?.nextOffset,
    2,
    'a partition younger than the checkpoint is new from its beginning',
  );
});

test('a start time after the last record begins at the end', () => {
  const { positions } = make({ start: 1000 });
  positions.begin([range(0, 5, 20)], new Map([['t:0', -1]]));
  assert.equal(positions.find('t', 0)?.nextOffset, 20);
});

test('a bounded reading keeps its ends and covers no partition that comes later', () => {
  const { positions } = make({ isBounded: true });
  assert.equal(positions.isDone, false);
  positions.begin([range(0, 0, 2)], new Map());
  positions.begin([range(0, 0, 9), range(1, 0, 4)], new Map());
  assert.equal(positions.find('t', 0)?.stopOffset, 2);
  assert.equal(positions.find('t', 1), undefined);
  assert.equal(positions.add('t', 1), undefined);
  const reading = positions.find('t', 0);
  assert.ok(reading !== undefined);
  reading.nextOffset = 2;
  assert.equal(positions.isDone, true);
});

test('a reading that follows takes later partitions up from their beginning and is never done', () => {
  const { positions } = make({ start: 'latest' });
  positions.begin([range(0, 0, 2)], new Map());
  positions.begin([range(0, 0, 2), range(1, 1, 4)], new Map());
  assert.equal(positions.find('t', 1)?.nextOffset, 1);
  assert.equal(positions.add('t', 2)?.nextOffset, 0);
  assert.equal(positions.isDone, false);
});

test('positions before the first and behind the end offset are out of range', () => {
  const { positions } = make({ positions: [known(0, 4), known(1, 5), known(2, 20), known(3, 21)] });
  const ranges = [0, 1, 2, 3].map((partition) => range(partition, 5, 20));
  positions.begin(ranges, new Map());
  assert.deepEqual(
    positions.outOfRange(ranges).map(({ partition }) => partition),
    [0, 3],
  );
});

test('a gap stops the reading, or moves the position and is told, as the policy says', () => {
  for (const [onOutOfRange, to] of [
    ['earliest', 5],
    ['latest', 20],
  ] as const) {
    const { positions, telemetry } = make({ positions: [known(0, 2)], onOutOfRange });
    positions.begin([range(0, 5, 20)], new Map());
    const reading = positions.find('t', 0);
    assert.ok(reading !== undefined);
    assert.equal(positions.leaveGap(reading, range(0, 5, 20), 'gone'), to);
    assert.deepEqual([reading.nextOffset, reading.epoch], [to, -1]);
    assert.deepEqual(telemetry.events, [{ type: 'offsetsSkipped', topic: 't', partition: 0, from: 2, to }]);
  }
  const { positions } = make({ positions: [known(0, 2)] });
  positions.begin([range(0, 5, 20)], new Map());
  const reading = positions.find('t', 0);
  assert.ok(reading !== undefined);
  assert.throws(() => positions.leaveGap(reading, range(0, 5, 20), 'gone'), {
    code: 'source.outOfRange',
    retriable: false,
    context: { topic: 't', partition: 0, position: 2, firstOffset: 5, endOffset: 20 },
  });
});
