import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordBlock } from '../../src/records.ts';
import { Credit } from '../../src/sources/credit.ts';
import type { KafkaSourceOptions } from '../../src/sources/kafka/kafka-options.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import type { OutgoingRecord } from '../../src/sources/kafka/outgoing-records.ts';
import { kafkajs } from '../../src/sources/kafka/kafkajs.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { read, readAll, recordedTelemetry, until } from '../support/kafka/read-source.ts';
import { freePorts } from '../support/kafka/server-process.ts';
import { startProxy } from '../support/kafka/tcp-proxy.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

const numbered = (count: number, from = 0, valueBytes = 20): OutgoingRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(String(from + index)),
    value: Buffer.alloc(valueBytes, String(from + index)),
    headers: [],
    timestampMs: Date.UTC(2013, 0, 1) + from + index,
  }));

describe('the Kafka source in trouble', { skip: missing('kafka-4.3.1') ?? false }, () => {
  let kafka: KafkaServer;
  before(async () => {
    kafka = await startKafka();
  });
  after(async () => {
    await kafka.stop();
  });

  const options = (topic: string, more: Partial<KafkaSourceOptions> = {}): KafkaSourceOptions => ({
    brokers: [kafka.bootstrap],
    topics: [topic],
    groupId: `group-of-${topic}`,
    start: 'earliest',
    onOutOfRange: 'stop',
    positions: [],
    isBounded: false,
    connectTimeoutMs: 10_000,
    credit: new Credit(32 << 20),
    timings: { pollMs: 300 },
    ...more,
  });

  const writerTo = (topic: string, partitions = 1): ReturnType<typeof kafkaWriter> =>
    kafkaWriter({ brokers: [kafka.bootstrap], topic, partitions, connectTimeoutMs: 30_000 });

  test('a broker killed and started again under load costs no record and repeats none', async (t) => {
    const topic = 'restarted';
    const writer = writerTo(topic, 2);
    const telemetry = recordedTelemetry();
    const source = kafkaSource(options(topic), telemetry);
    t.after(() => source.close());
    t.after(() => writer.close());
    await writer.send(numbered(100));
    const reading = read(source);
    const stop = new AbortController();
    let written = 100;
    const writing = (async () => {
      while (!stop.signal.aborted) {
        await writer.send(numbered(200, written));
        written += 200;
        await delay(20);
      }
    })();
    await until(() => reading.records.length > 1000, 'reading before the kill');
    await kafka.kill();
    await delay(1000);
    const messages = telemetry.of('sourceInterrupted').map(({ message }) => message);
    assert.ok(
      messages.some((message) => /cannot reach Kafka at 127.0.0.1:\d+: .*Check/.test(message)),
      messages.join('\n'),
    );
    await kafka.restart();
    const before = reading.records.length;
    await until(() => reading.records.length > before + 1000, 'reading after the restart', 30_000);
    stop.abort();
    await writing;
    await until(() => reading.records.length >= written, 'everything written', 30_000);
    await until(() => telemetry.of('sourceJoined').length >= 2, 'joined again');
    for (const partition of [0, 1]) {
      const offsets = reading.records.filter((record) => record.partition === partition).map(({ offset }) => offset);
      assert.deepEqual(offsets, Array.from(offsets.keys()), 'no gap and no repetition of positions');
    }
    assert.equal(new Set(reading.records.map(({ key }) => key)).size, written);
  });

  test('a reader slower than the session timeout keeps its membership and its memory bounded', async (t) => {
    const topic = 'slow';
    const writer = writerTo(topic);
    await writer.send(numbered(40_000, 0, 500));
    await writer.close();
    const creditBytes = 1 << 20;
    const source = kafkaSource(options(topic, { credit: new Credit(creditBytes) }), silentTelemetry);
    t.after(() => source.close());
    const held: RecordBlock[] = [];
    const reading = read(source, (block) => {
      held.push(block);
    });
    await until(() => held.length > 0, 'the first blocks');
    const admin = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    t.after(() => admin.disconnect());
    const member = async (): Promise<string> => {
      const { groups } = await admin.describeGroups([`group-of-${topic}`]);
      assert.equal(groups[0]?.state, 'Stable');
      return groups[0].members.map(({ memberId }) => memberId).join();
    };
    const joined = await member();
    await delay(11_000);
    // Blocks share the memory of their fetch, of which one more than the credit may be out.
    const memory = [...new Set(held.map(({ bytes }) => bytes.buffer))];
    const heldBytes = memory.reduce((sum, { byteLength }) => sum + byteLength, 0);
    assert.ok(
      heldBytes < creditBytes + (1 << 20) + 1024,
      `${heldBytes} bytes are out against a credit of ${creditBytes}`,
    );
    assert.equal(await member(), joined, 'the same member after more than a session timeout');
    const releasing = setInterval(() => {
      for (const block of held.splice(0)) block.release();
    }, 1);
    await until(() => reading.records.length === 40_000, 'the rest');
    clearInterval(releasing);
    assert.deepEqual(
      reading.records.map(({ offset }) => offset),
      Array.from({ length: 40_000 }, (_, index) => index),
    );
  });

  test('close ends a reader that waits for credit, at once', async () => {
    const topic = 'closed';
    const writer = writerTo(topic);
    await writer.send(numbered(5000));
    await writer.close();
    const source = kafkaSource(options(topic, { credit: new Credit(1) }), silentTelemetry);
    const reading = read(source, () => undefined);
    await until(() => reading.blocks.length === 1, 'the first block');
    const start = Date.now();
    await source.close();
    await reading.ended;
    assert.equal(reading.outcome, 'closed');
    assert.ok(Date.now() - start < 2000, `closing took ${Date.now() - start} ms`);
  });

  test('close while the broker is frozen ends in time', async () => {
    const topic = 'frozen';
    const writer = writerTo(topic);
    await writer.send(numbered(10));
    await writer.close();
    const source = kafkaSource(options(topic, { timings: { pollMs: 300, closeMs: 1000 } }), silentTelemetry);
    const reading = read(source);
    await until(() => reading.records.length === 10, 'all records');
    kafka.pause();
    try {
      const start = Date.now();
      await source.close();
      assert.ok(Date.now() - start < 2000, `closing took ${Date.now() - start} ms`);
    } finally {
      kafka.resume();
    }
  });

  test('a broker that freezes for a moment costs nothing', async (t) => {
    const topic = 'frozen-for-a-moment';
    const writer = writerTo(topic);
    t.after(() => writer.close());
    await writer.send(numbered(10));
    const source = kafkaSource(options(topic), silentTelemetry);
    t.after(() => source.close());
    const reading = read(source);
    await until(() => reading.records.length === 10, 'all records');
    kafka.pause();
    await delay(1000);
    kafka.resume();
    await writer.send(numbered(10, 10));
    await until(() => reading.records.length === 20, 'reading goes on', 30_000);
    assert.deepEqual(
      reading.records.map(({ key }) => Number(key)),
      Array.from({ length: 20 }, (_, index) => index),
    );
  });

  test('a second member of the group is told, and everything is read again when it has left', async (t) => {
    const topic = 'shared';
    const writer = writerTo(topic, 2);
    t.after(() => writer.close());
    await writer.send(numbered(100));
    const telemetry = recordedTelemetry();
    const source = kafkaSource(options(topic), telemetry);
    t.after(() => source.close());
    const reading = read(source);
    await until(() => reading.records.length === 100, 'all records');
    const other = kafkaSource(options(topic), silentTelemetry);
    const others = read(other);
    await until(() => telemetry.of('sourceInterrupted').length > 0, 'told');
    assert.match(
      telemetry.of('sourceInterrupted')[0]?.message ?? '',
      /another member of group group-of-shared reads shared:/,
    );
    await other.close();
    await others.ended;
    await writer.send(numbered(100, 100));
    await until(() => reading.records.length === 200, 'the rest', 30_000);
    assert.equal(new Set(reading.records.map(({ key }) => key)).size, 200);
    await until(() => telemetry.of('sourceJoined').length === 2, 'joined again');
  });

  test('a gzip bomb ends the reading with a typed error instead of the memory', async (t) => {
    const topic = 'bomb';
    const producer = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    t.after(() => producer.disconnect());
    await writerTo(topic).endOffsets();
    await producer.connect();
    await producer.send({
      topic,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: [{ value: Buffer.alloc(150 << 20) }],
    });
    const source = kafkaSource(options(topic), silentTelemetry);
    await assert.rejects(readAll(source), { name: 'SourceError', code: 'source.corrupt', message: /gzip/ });
  });
});

describe('the Kafka source behind a network that swallows bytes', { skip: missing('kafka-4.3.1') ?? false }, () => {
  test('a consumer that makes no progress is replaced, over new connections', async (t) => {
    const [proxyPort = 0] = await freePorts(1);
    const advertised = `PLAINTEXT://127.0.0.1:${proxyPort}`;
    const proxy = await startProxy(proxyPort);
    t.after(() => proxy.stop());
    const kafka = await startKafka({
      config: { 'advertised.listeners': advertised },
      onPort: (port) => {
        proxy.forwardTo(port);
      },
    });
    t.after(() => kafka.stop());
    const topic = 'swallowed';
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic, connectTimeoutMs: 30_000 });
    t.after(() => writer.close());
    await writer.send(numbered(10));
    const telemetry = recordedTelemetry();
    const source = kafkaSource(
      {
        brokers: [`127.0.0.1:${proxyPort}`],
        topics: [topic],
        groupId: 'group',
        start: 'earliest',
        onOutOfRange: 'stop',
        positions: [],
        isBounded: false,
        connectTimeoutMs: 10_000,
        credit: new Credit(1 << 20),
        timings: { pollMs: 300, stallMs: 2000, closeMs: 500 },
      },
      telemetry,
    );
    t.after(() => source.close());
    const reading = read(source);
    await until(() => reading.records.length === 10, 'all records');
    const swallowed = proxy.swallow();
    assert.ok(swallowed > 0);
    await writer.send(numbered(10, 10));
    await until(() => reading.records.length === 20, 'reading goes on', 45_000);
    assert.ok(telemetry.of('sourceInterrupted').some(({ message }) => /swallowed:0 is at 10 of 20/.test(message)));
    assert.deepEqual(
      reading.records.map(({ key }) => Number(key)),
      Array.from({ length: 20 }, (_, index) => index),
    );
  });
});

test('brokers that cannot be reached are told again and again, and a bounded reading gives up', async () => {
  const telemetry = recordedTelemetry();
  const source = kafkaSource(
    {
      brokers: ['127.0.0.1:1'],
      topics: ['t'],
      groupId: 'g',
      start: 'earliest',
      onOutOfRange: 'stop',
      positions: [],
      isBounded: true,
      connectTimeoutMs: 1500,
      credit: new Credit(1 << 20),
    },
    telemetry,
  );
  await assert.rejects(readAll(source), {
    name: 'SourceError',
    code: 'source.unavailable',
    message: /cannot reach Kafka at 127.0.0.1:1: .*ECONNREFUSED.*Gave up after/,
  });
  assert.ok(telemetry.of('sourceInterrupted').length >= 3);
});
