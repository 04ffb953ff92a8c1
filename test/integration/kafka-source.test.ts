import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Credit } from '../../src/sources/credit.ts';
import type { KafkaSourceOptions } from '../../src/sources/kafka/kafka-options.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter, type KafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import type { OutgoingRecord } from '../../src/sources/kafka/outgoing-records.ts';
import { kafkajs, type Admin, type Kafka, type Producer } from '../../src/sources/kafka/kafkajs.ts';
import { codecs, type Codec } from '../../src/sources/record-batch/compression.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { read, readAll, recordedTelemetry, until, type ReadRecord } from '../support/kafka/read-source.ts';
import { kafkaVersions, startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

const baseMs = Date.UTC(2013, 0, 1);

function outgoing(index: number, more: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return {
    key: Buffer.from(`key-${index % 10}`),
    value: Buffer.from(`value-${index}`),
    headers: [],
    timestampMs: baseMs + index,
    ...more,
  };
}

const numbered = (count: number, more: Partial<OutgoingRecord> = {}): OutgoingRecord[] =>
  Array.from({ length: count }, (_, index) => outgoing(index, more));

const offsetsOf = (records: readonly ReadRecord[], partition = 0): number[] =>
  records.filter((record) => record.partition === partition).map((record) => record.offset);

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

for (const version of kafkaVersions) {
  describe(`the Kafka source on Kafka ${version}`, { skip: missing(`kafka-${version}`) ?? false }, () => {
    let kafka: KafkaServer;
    let topicNumber = 0;

    before(async () => {
      kafka = await startKafka({ version });
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
      isBounded: true,
      connectTimeoutMs: 10_000,
      credit: new Credit(32 << 20),
      timings: { pollMs: 300 },
      ...more,
    });

    const newTopic = (): string => `topic-${(topicNumber += 1)}`;

    async function write(
      topic: string,
      records: readonly OutgoingRecord[],
      more: { partitions?: number; codec?: Codec } = {},
    ): Promise<void> {
      const writer: KafkaWriter = kafkaWriter({
        brokers: [kafka.bootstrap],
        topic,
        partitions: 1,
        connectTimeoutMs: 5000,
        ...more,
      });
      await writer.endOffsets();
      await writer.send(records);
      await writer.close();
    }

    test('every record of several partitions is read once, in order, and the end is said', async () => {
      const topic = newTopic();
      await write(topic, numbered(5000), { partitions: 3 });
      const { records, blocks, outcome } = await readAll(kafkaSource(options(topic), silentTelemetry));
      assert.equal(outcome, 'end');
      assert.equal(records.length, 5000);
      assert.equal(new Set(records.map(({ value }) => value)).size, 5000);
      for (const partition of [0, 1, 2]) {
        const offsets = offsetsOf(records, partition);
        assert.deepEqual(offsets, upTo(offsets.length));
      }
      assert.ok(blocks.every(({ recordCount }) => recordCount <= 1024));
      const first = records.find(({ value }) => value === 'value-7');
      assert.equal(first?.key, 'key-7');
      assert.equal(first.timestampMs, baseMs + 7);
    });

    test('null keys, null and empty values, and headers come through', async () => {
      const topic = newTopic();
      const headers = [
        { key: 'a', value: Buffer.from('1') },
        { key: 'b', value: Buffer.from('2') },
        { key: 'a', value: Buffer.from('3') },
      ];
      await write(topic, [
        outgoing(0, { key: null }),
        outgoing(1, { value: null }),
        outgoing(2, { value: Buffer.alloc(0), key: Buffer.alloc(0) }),
        outgoing(3, { headers }),
      ]);
      const { records } = await readAll(kafkaSource(options(topic), silentTelemetry));
      assert.deepEqual(
        records.map(({ key, value }) => [key, value]),
        [
          [null, 'value-0'],
          ['key-1', null],
          ['', ''],
          ['key-3', 'value-3'],
        ],
      );
      assert.deepEqual(records[3]?.headers, [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ]);
      assert.deepEqual(records[0]?.headers, []);
    });

    test('a topic with nothing in it ends at once', async () => {
      const topic = newTopic();
      await write(topic, []);
      const { records, outcome, blocks } = await readAll(kafkaSource(options(topic), silentTelemetry));
      assert.equal(outcome, 'end');
      assert.equal(records.length, 0);
      assert.equal(blocks.at(-1)?.nextOffset, 0);
    });

    test('reading goes on at the positions of a checkpoint, whatever the group has committed', async (t) => {
      const topic = newTopic();
      await write(topic, numbered(3000));
      const first = kafkaSource(options(topic, { isBounded: false }), silentTelemetry);
      t.after(() => first.close());
      const reading = read(first);
      await until(() => reading.records.length === 3000, 'all records');
      await first.commit([{ topic, partition: 0, nextOffset: 2500, epoch: 0 }]);
      await first.close();
      assert.equal(reading.outcome, 'closed');

      const positions = [{ topic, partition: 0, nextOffset: 1234, epoch: 0 }];
      const second = kafkaSource(options(topic, { positions }), silentTelemetry);
      assert.deepEqual(offsetsOf((await readAll(second)).records), upTo(3000 - 1234, 1234));
      const committed = (): Promise<string[]> => committedOffsets(kafka, `group-of-${topic}`, topic);
      assert.deepEqual(await committed(), ['2500']);
      await second.commit([{ topic, partition: 0, nextOffset: 3000, epoch: 0 }]);
      assert.deepEqual(await committed(), ['3000'], 'the last checkpoint is committed after the end');
    });

    test('start may be the end or a time', async () => {
      const topic = newTopic();
      await write(topic, numbered(100));
      const from = async (start: KafkaSourceOptions['start']): Promise<number[]> =>
        offsetsOf((await readAll(kafkaSource(options(topic, { start }), silentTelemetry))).records);
      assert.deepEqual(await from('latest'), []);
      assert.deepEqual(await from(baseMs + 90), upTo(10, 90));
      assert.deepEqual(await from(baseMs + 1000), []);
    });

    test('several topics are read side by side to all of their ends', async () => {
      const topics = [newTopic(), newTopic()];
      for (const topic of topics) await write(topic, numbered(50));
      const { records } = await readAll(kafkaSource(options(topics[0] ?? '', { topics }), silentTelemetry));
      for (const topic of topics)
        assert.deepEqual(offsetsOf(records.filter((record) => record.topic === topic)), upTo(50));
    });

    for (const codec of codecs) {
      test(`batches compressed with ${codec} by this client and by Java's are read`, async () => {
        const topic = newTopic();
        await write(topic, numbered(500), { codec });
        await javaProducer(kafka, topic, codec);
        const { records } = await readAll(kafkaSource(options(topic), silentTelemetry));
        assert.deepEqual(offsetsOf(records), upTo(1000));
        assert.equal(records[499]?.value, 'value-499');
        assert.ok(records.slice(500).every(({ value }) => value?.length === 100));
      });
    }

    test('aborted transactions are not shown, also where they overlap and keys look like markers', async () => {
      const topic = newTopic();
      await write(topic, numbered(3));
      const [one, two] = [await transactional(kafka, `${topic}-one`), await transactional(kafka, `${topic}-two`)];
      // An int32 zero as key: the same bytes as an abort marker's.
      const key = Buffer.alloc(4);
      const [first, second] = [await one.transaction(), await two.transaction()];
      await first.send({ topic, messages: [{ key, value: 'aborted' }] });
      await second.send({ topic, messages: [{ key, value: 'aborted' }] });
      await second.send({ topic, messages: [{ key, value: 'aborted' }] });
      await first.send({ topic, messages: [{ key, value: 'aborted' }] });
      await write(topic, [outgoing(3)]);
      await second.abort();
      await first.abort();
      const third = await one.transaction();
      await third.send({ topic, messages: [{ key, value: 'value-4' }] });
      await third.commit();
      await write(topic, [outgoing(5)]);
      await one.disconnect();
      await two.disconnect();

      const whole = await readAll(kafkaSource(options(topic), silentTelemetry));
      const values = ['value-0', 'value-1', 'value-2', 'value-3', 'value-4', 'value-5'];
      assert.deepEqual(
        whole.records.map(({ value }) => value),
        values,
      );
      // From within both transactions: what a checkpoint may name.
      const positions = [{ topic, partition: 0, nextOffset: 5, epoch: 0 }];
      const rest = await readAll(kafkaSource(options(topic, { positions }), silentTelemetry));
      assert.deepEqual(
        rest.records.map(({ value }) => value),
        values.slice(3),
      );
    });

    test('a topic that ends in control records and aborted data is read to its end', async () => {
      const topic = newTopic();
      await write(topic, numbered(10));
      const producer = await transactional(kafka, topic);
      for (let turn = 0; turn < 3; turn += 1) {
        const transaction = await producer.transaction();
        await transaction.send({ topic, messages: [{ value: 'aborted' }, { value: 'aborted' }] });
        await transaction.abort();
      }
      await producer.disconnect();
      const telemetry = recordedTelemetry();
      const { records, blocks, outcome } = await readAll(kafkaSource(options(topic), telemetry));
      assert.equal(outcome, 'end');
      assert.equal(records.length, 10);
      assert.equal(blocks.at(-1)?.nextOffset, 19);
    });

    test('an open transaction at the end is not waited for by a bounded reading', async () => {
      const topic = newTopic();
      await write(topic, numbered(10));
      const producer = await transactional(kafka, topic);
      const open = await producer.transaction();
      await open.send({ topic, messages: [{ value: 'undecided' }] });
      await write(topic, [outgoing(11)]);
      const { records, blocks } = await readAll(kafkaSource(options(topic), silentTelemetry));
      assert.equal(records.length, 10);
      assert.equal(blocks.at(-1)?.nextOffset, 10);
      await open.commit();
      await producer.disconnect();
    });

    test('records that are gone stop the reading, or are skipped and told, as the policy says', async () => {
      const topic = newTopic();
      await write(topic, numbered(100));
      await deleteRecords(kafka, topic, 60);
      const positions = [{ topic, partition: 0, nextOffset: 20, epoch: 0 }];
      await assert.rejects(readAll(kafkaSource(options(topic, { positions }), silentTelemetry)), {
        name: 'SourceError',
        code: 'source.outOfRange',
        message: new RegExp(`^${topic}:0: its records are gone.*position is 20, but offsets 60 to 100`),
      });
      for (const [onOutOfRange, from] of [
        ['earliest', 60],
        ['latest', 100],
      ] as const) {
        const telemetry = recordedTelemetry();
        const { records } = await readAll(kafkaSource(options(topic, { positions, onOutOfRange }), telemetry));
        assert.deepEqual(offsetsOf(records), upTo(100 - from, from));
        assert.deepEqual(telemetry.of('offsetsSkipped'), [
          { type: 'offsetsSkipped', topic, partition: 0, from: 20, to: from },
        ]);
      }
    });

    test('a position behind the end, as of a topic that was re-created, goes by the same policy', async () => {
      const topic = newTopic();
      await write(topic, numbered(10));
      const positions = [{ topic, partition: 0, nextOffset: 50, epoch: 0 }];
      await assert.rejects(readAll(kafkaSource(options(topic, { positions }), silentTelemetry)), {
        code: 'source.outOfRange',
        message: /perhaps re-created/,
      });
      const { records } = await readAll(
        kafkaSource(options(topic, { positions, onOutOfRange: 'earliest' }), silentTelemetry),
      );
      assert.deepEqual(offsetsOf(records), upTo(10));
    });

    test('records deleted under a slow reader are told, not jumped over', async (t) => {
      const topic = newTopic();
      await write(topic, numbered(3000, { value: Buffer.alloc(1000) }));
      const telemetry = recordedTelemetry();
      const releases: (() => void)[] = [];
      const source = kafkaSource(
        options(topic, { isBounded: false, credit: new Credit(1), onOutOfRange: 'earliest' }),
        telemetry,
      );
      t.after(() => source.close());
      const reading = read(source, (block) => {
        releases.push(() => {
          block.release();
        });
      });
      await until(() => releases.length === 1, 'the first block');
      await deleteRecords(kafka, topic, 2900);
      const going = setInterval(() => releases.shift()?.(), 5);
      await until(() => reading.records.at(-1)?.offset === 2999, 'the last record');
      clearInterval(going);
      await source.close();
      const offsets = offsetsOf(reading.records);
      const [gap] = telemetry.of('offsetsSkipped');
      assert.ok(gap !== undefined && gap.to === 2900);
      assert.deepEqual(offsets, [...upTo(gap.from), ...upTo(100, 2900)]);
    });

    test('a topic that is missing is awaited, and partitions added later are read from their beginning', async (t) => {
      const topic = newTopic();
      const telemetry = recordedTelemetry();
      const source = kafkaSource(options(topic, { isBounded: false, start: 'latest' }), telemetry);
      t.after(() => source.close());
      const reading = read(source);
      await until(() => telemetry.of('sourceInterrupted').length >= 2, 'two messages');
      assert.match(telemetry.of('sourceInterrupted')[0]?.message ?? '', new RegExp(`no such topic.*${topic}`));
      await write(topic, []);
      await until(() => telemetry.of('sourceJoined').length === 1, 'joined');
      await write(topic, numbered(10, { partition: 0 }));
      await until(() => reading.records.length === 10, 'records of the first partition');
      await addPartitions(kafka, topic, 2);
      await write(topic, numbered(10, { partition: 1 }));
      await until(() => reading.records.length === 20, 'records of the added partition');
      await source.close();
      assert.deepEqual(offsetsOf(reading.records, 0), upTo(10));
      assert.deepEqual(offsetsOf(reading.records, 1), upTo(10));
    });

    test('a bounded reading gives up on a topic that stays missing', async () => {
      const source = kafkaSource(options('never', { connectTimeoutMs: 1000 }), silentTelemetry);
      await assert.rejects(readAll(source), { code: 'source.unavailable', message: /no such topic.*never.*Gave up/ });
    });
  });
}

async function committedOffsets(kafka: KafkaServer, groupId: string, topic: string): Promise<string[]> {
  return withAdmin(kafka, async (admin) => {
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return offsets?.partitions.map(({ offset }) => offset) ?? [];
  });
}

function deleteRecords(kafka: KafkaServer, topic: string, before: number): Promise<void> {
  return withAdmin(kafka, async (admin) => {
    // Loads the topic's metadata, without which the next call fails.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(before) }] });
  });
}

async function addPartitions(kafka: KafkaServer, topic: string, count: number): Promise<void> {
  await withAdmin(kafka, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }));
}

async function withAdmin<T>(kafka: KafkaServer, call: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client(kafka).admin();
  await admin.connect();
  try {
    return await call(admin);
  } finally {
    await admin.disconnect();
  }
}

function client(kafka: KafkaServer): Kafka {
  return new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING });
}

async function transactional(kafka: KafkaServer, transactionalId: string): Promise<Producer> {
  const producer = client(kafka).producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { initialRetryTime: 10 },
  });
  await producer.connect();
  return producer;
}

/** 500 values of 100 bytes by Kafka's own client, which frames snappy in its own way. */
async function javaProducer(kafka: KafkaServer, topic: string, codec: Codec): Promise<void> {
  await kafka.tool('org.apache.kafka.tools.ProducerPerformance', [
    ...['--topic', topic, '--num-records', '500', '--record-size', '100', '--throughput', '-1'],
    ...['--producer-props', `bootstrap.servers=${kafka.bootstrap}`, `compression.type=${codec}`],
  ]);
}
