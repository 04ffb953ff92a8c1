import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Credit } from '../../src/sources/credit.ts';
import { newIdentity, produceBatches, type PartitionBatch } from '../../src/sources/kafka/batch-producer.ts';
import { kafkaClient } from '../../src/sources/kafka/kafka-connection.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter, type KafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import type { OutgoingRecord } from '../../src/sources/kafka/outgoing-records.ts';
import { encodeBatch } from '../../src/sources/record-batch/encode-batch.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { readAll, type ReadRecord } from '../support/kafka/read-source.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

const record = (key: string | null, value: string): OutgoingRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(value),
  headers: [],
  timestampMs: Date.UTC(2013, 0, 1),
});

describe('the Kafka writer', { skip: missing('kafka-4.3.1') ?? false }, () => {
  let kafka: KafkaServer;
  const writers: KafkaWriter[] = [];
  before(async () => {
    kafka = await startKafka();
  });
  after(async () => {
    for (const writer of writers) await writer.close();
    await kafka.stop();
  });

  const writerTo = (topic: string, more: { partitions?: number; connectTimeoutMs?: number } = {}): KafkaWriter => {
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic, connectTimeoutMs: 30_000, ...more });
    writers.push(writer);
    return writer;
  };

  const readTopic = async (topic: string): Promise<ReadRecord[]> => {
    const options = { brokers: [kafka.bootstrap], topics: [topic], groupId: topic, connectTimeoutMs: 5000 };
    const rest = { start: 'earliest', onOutOfRange: 'stop', positions: [], isBounded: true } as const;
    const source = kafkaSource({ ...options, ...rest, credit: new Credit(1 << 24) }, silentTelemetry);
    return (await readAll(source)).records;
  };

  test('a missing topic is made with the partitions asked for, or with as many as the broker wants', async () => {
    assert.deepEqual(await writerTo('three', { partitions: 3 }).endOffsets(), [0, 0, 0]);
    assert.deepEqual(await writerTo('default').endOffsets(), [0]);
    assert.deepEqual(await writerTo('three', { partitions: 5 }).endOffsets(), [0, 0, 0]);
  });

  test('keys go to the partitions that Java sends them to', async () => {
    const writer = writerTo('keyed', { partitions: 7 });
    await writer.send(Array.from({ length: 50 }, (_, index) => record(`key-${index}`, 'v')));
    const ours = new Map((await readTopic('keyed')).map(({ key, partition }) => [key, partition]));
    // Vectors of Kafka's own test of murmur2 (UtilsTest), as positive numbers modulo 7.
    const vectors = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536 };
    await writer.send(Object.keys(vectors).map((key) => record(key, 'v')));
    const all = await readTopic('keyed');
    for (const [key, hash] of Object.entries(vectors)) {
      assert.equal(all.find((read) => read.key === key)?.partition, (hash & 0x7fffffff) % 7, key);
    }
    assert.equal(ours.size, 50);
  });

  test('many records and large ones are cut into sends that a broker takes', async () => {
    const writer = writerTo('large');
    await writer.send(Array.from({ length: 5 }, (_, index) => record(null, String(index).repeat(400_000))));
    await writer.send(Array.from({ length: 4500 }, (_, index) => record(null, String(index))));
    const records = await readTopic('large');
    assert.equal(records.length, 4505);
    assert.deepEqual(
      records.slice(5).map(({ value }) => value),
      Array.from({ length: 4500 }, (_, index) => String(index)),
    );
    assert.deepEqual(await writer.endOffsets(), [4505]);
  });

  test('a record that the broker refuses for good is said at once', async () => {
    const writer = writerTo('refused');
    const start = Date.now();
    await assert.rejects(writer.send([record(null, 'x'.repeat(2_000_000))]), {
      code: 'source.unavailable',
      retriable: false,
      message: /cannot write to topic refused .*larger/,
    });
    assert.ok(Date.now() - start < 10_000);
  });

  test('after a refusal the writer writes on', async () => {
    const writer = writerTo('refused-once');
    await writer.send([record(null, 'before')]);
    await assert.rejects(writer.send([record(null, 'small'), record(null, 'x'.repeat(2_000_000))]));
    await writer.send([record(null, 'after')]);
    const values = (await readTopic('refused-once')).map(({ value }) => value);
    assert.deepEqual(values, ['before', 'small', 'after']);
  });

  test('batches that are sent again, as after a lost answer, are written once', async () => {
    const topic = 'again';
    assert.deepEqual(await writerTo(topic, { partitions: 2 }).endOffsets(), [0, 0]);
    const client = kafkaClient({ brokers: [kafka.bootstrap] }, 'none');
    const cluster = client.cluster();
    await cluster.connect();
    await cluster.addMultipleTargetTopics([topic]);
    const identity = await newIdentity(cluster);
    const batch = (partition: number, baseSequence: number): PartitionBatch => {
      const records = [0, 1, 2].map((index) => record(null, `${partition}-${baseSequence + index}`));
      return { partition, bytes: encodeBatch(records, 'none', { ...identity, baseSequence }) };
    };
    await produceBatches(cluster, topic, [batch(0, 0)]);
    await produceBatches(cluster, topic, [batch(0, 0), batch(1, 0)]);
    await produceBatches(cluster, topic, [batch(0, 3), batch(1, 0)]);
    await assert.rejects(produceBatches(cluster, topic, [batch(0, 9)]), { type: 'OUT_OF_ORDER_SEQUENCE_NUMBER' });
    await assert.rejects(produceBatches(cluster, topic, [batch(2, 0)]), /1 of 1 partitions are not known/);
    client.destroy();
    const values = (await readTopic(topic)).map(({ value }) => value).sort();
    assert.deepEqual(values, ['0-0', '0-1', '0-2', '0-3', '0-4', '0-5', '1-0', '1-1', '1-2']);
  });

  test('sends that overlap keep the order of their partition', async () => {
    const writer = writerTo('overlap');
    const values = Array.from({ length: 20 }, (_, index) => String(index));
    await Promise.all(values.map((value) => writer.send([record(null, value)])));
    assert.deepEqual(
      (await readTopic('overlap')).map(({ value }) => value),
      values,
    );
  });

  test('a broker that is killed while records are sent costs none and doubles none', async () => {
    const writer = writerTo('killed', { partitions: 2 });
    await writer.send([record(null, 'first')]);
    const count = 30;
    const sending = (async () => {
      for (let index = 0; index < count; index += 1) {
        await writer.send(Array.from({ length: 100 }, (_, row) => record(null, `${index}-${row}`)));
      }
    })();
    await kafka.kill();
    await kafka.restart();
    await sending;
    const values = (await readTopic('killed')).map(({ value }) => value);
    assert.equal(values.length, count * 100 + 1);
    assert.equal(new Set(values).size, count * 100 + 1);
  });

  test('a writer without a broker gives up in time', async () => {
    const writer = kafkaWriter({ brokers: ['127.0.0.1:1'], topic: 't', connectTimeoutMs: 500 });
    await assert.rejects(writer.send([record(null, 'v')]), { code: 'source.unavailable', message: /ECONNREFUSED/ });
    await writer.close();
  });
});
