import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { partitionOfKey } from '../../src/sensors/murmur2.ts';
import { playReadings, type ReadingSink, type SensorRecord } from '../../src/sensors/play-readings.ts';
import type { Readings } from '../../src/sensors/readings.ts';
import { simulate } from '../../src/sensors/simulate.ts';
import { virtualClock } from '../support/virtual-clock.ts';

interface MemoryTopic extends ReadingSink {
  readonly logs: SensorRecord[][];
}

function memoryTopic(partitions: number): MemoryTopic {
  const logs = Array.from({ length: partitions }, (): SensorRecord[] => []);
  return {
    logs,
    partitions,
    nextOffsets: () => Promise.resolve(logs.map((log) => log.length)),
    append: (records) => {
      for (const [partition, run] of records) logs[partition]?.push(...run);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

const encode = (value: object): Buffer => Buffer.from(JSON.stringify(value));
const readings = simulate({ sensors: 11, seed: 1, topic: 't' });
const keyless: Readings = { ...readings, key: () => null };
const contents = (topic: MemoryTopic): string[][] =>
  topic.logs.map((log) => log.map(({ key, value }) => `${key?.toString() ?? ''} ${value.toString()}`));
const never = new AbortController().signal;
const unthrottled = { ratePerSecond: null, signal: never };

suite('playReadings', () => {
  test('puts each record into the partition of its key, in the order of its number', async () => {
    const topic = memoryTopic(4);
    const played = await playReadings(readings, topic, encode, { ...unthrottled, count: 5000 });
    assert.deepEqual(played, { sent: 5000, total: 5000 });
    const wanted = Array.from({ length: 4 }, (): string[] => []);
    for (let n = 0; n < 5000; n++) {
      const key = readings.key(n) ?? '';
      wanted[partitionOfKey(Buffer.from(key), 4)]?.push(`${key} ${JSON.stringify(readings.value(n))}`);
    }
    assert.deepEqual(contents(topic), wanted);
  });

  test('records without a key take turns', async () => {
    const topic = memoryTopic(3);
    await playReadings(keyless, topic, encode, { ...unthrottled, count: 10 });
    assert.deepEqual(
      topic.logs.map((log) => log.length),
      [4, 3, 3],
    );
    assert.equal(topic.logs[0]?.[0]?.key, null);
  });

  test('ends with the readings where no count is given, and sends nothing where there is nothing', async () => {
    const topic = memoryTopic(2);
    assert.deepEqual(await playReadings({ ...readings, count: 7 }, topic, encode, unthrottled), { sent: 7, total: 7 });
    assert.deepEqual(await playReadings({ ...readings, count: 7 }, topic, encode, unthrottled), { sent: 0, total: 7 });
    const empty = await playReadings({ ...readings, count: 0 }, memoryTopic(2), encode, unthrottled);
    assert.deepEqual(empty, { sent: 0, total: 0 });
  });

  test('a run killed with uneven partitions and run again leaves what one run leaves', async () => {
    const whole = memoryTopic(4);
    await playReadings(readings, whole, encode, { ...unthrottled, count: 6000 });
    for (const cuts of [
      [0, 0, 0, 0],
      [700, 0, 3, 1200],
      [1, 900, 899, 2],
    ]) {
      const topic = memoryTopic(4);
      for (const [partition, cut] of cuts.entries()) {
        topic.logs[partition]?.push(...(whole.logs[partition]?.slice(0, cut) ?? []));
      }
      const held = cuts.reduce((sum, cut) => sum + cut);
      const played = await playReadings(readings, topic, encode, { ...unthrottled, count: 6000 });
      assert.deepEqual(played, { sent: 6000 - held, total: 6000 });
      assert.deepEqual(contents(topic), contents(whole));
    }
  });

  test('a larger count goes on, a smaller one sends nothing', async () => {
    const topic = memoryTopic(4);
    await playReadings(readings, topic, encode, { ...unthrottled, count: 1000 });
    assert.deepEqual(await playReadings(readings, topic, encode, { ...unthrottled, count: 900 }), {
      sent: 0,
      total: 1000,
    });
    assert.deepEqual(await playReadings(readings, topic, encode, { ...unthrottled, count: 1500 }), {
      sent: 500,
      total: 1500,
    });
    const whole = memoryTopic(4);
    await playReadings(readings, whole, encode, { ...unthrottled, count: 1500 });
    assert.deepEqual(contents(topic), contents(whole));
  });

  test('keeps to a rate by the clock, and stamps records with the time of sending', async () => {
    const topic = memoryTopic(1);
    const clock = virtualClock(1_000_000);
    await playReadings(readings, topic, encode, { ratePerSecond: 10, signal: never, count: 31, clock });
    const times = topic.logs[0]?.map((record) => record.timestampMs - 1_000_000) ?? [];
    assert.deepEqual(
      times,
      Array.from({ length: 31 }, (_, n) => n * 100),
    );
  });

  test('sends a high rate in batches', async () => {
    const topic = memoryTopic(1);
    const clock = virtualClock(0);
    await playReadings(readings, topic, encode, { ratePerSecond: 50_000, signal: never, count: 50_000, clock });
    const last = topic.logs[0]?.at(-1)?.timestampMs ?? 0;
    assert.ok(last >= 980 && last <= 1020, `50,000 records took ${last} ms`);
    assert.ok(clock.waits.length <= 60, `${clock.waits.length} waits`);
  });

  test('stops behind the records of a round when it is told to, and goes on from there', async () => {
    const topic = memoryTopic(4);
    const abort = new AbortController();
    const played = await playReadings(readings, topic, encode, {
      ratePerSecond: null,
      signal: abort.signal,
      onProgress: (sent) => {
        if (sent > 3000) abort.abort();
      },
    });
    assert.ok(played.sent > 3000 && played.sent < 10_000);
    await playReadings(readings, topic, encode, { ...unthrottled, count: 10_000 });
    const whole = memoryTopic(4);
    await playReadings(readings, whole, encode, { ...unthrottled, count: 10_000 });
    assert.deepEqual(contents(topic), contents(whole));
  });

  test('gives up with the error of the sink', async () => {
    const sink = { ...memoryTopic(2), append: () => Promise.reject(new Error('disk full')) };
    await assert.rejects(playReadings(readings, sink, encode, { ...unthrottled, count: 10 }), /disk full/);
  });
});
