import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Credit } from '../../src/sources/credit.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import { kafkajs } from '../../src/sources/kafka/kafkajs.ts';
import { logSource } from '../../src/sources/log/log-source.ts';
import { codecs } from '../../src/sources/record-batch/compression.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { openWriter, sourceOptions, temporaryDirectory, topic, writeLog } from '../sources/log/logs.ts';
import { readAll, type ReadRecord } from '../support/kafka/read-source.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

/** Partition by partition, since only within one is there an order on the network. */
function sorted(records: readonly ReadRecord[]): ReadRecord[] {
  return [...records].sort((left, right) => left.partition - right.partition || left.offset - right.offset);
}

describe('the directory of a real broker', { skip: missing('kafka-4.3.1') ?? false }, () => {
  let kafka: KafkaServer;

  before(async () => {
    kafka = await startKafka({ config: { 'log.segment.bytes': String(1 << 20), 'log.retention.ms': '-1' } });
  });
  after(async () => {
    await kafka.stop();
  });

  async function readNetwork(name: string): Promise<ReadRecord[]> {
    const source = kafkaSource(
      {
        brokers: [kafka.bootstrap],
        topics: [name],
        groupId: `network-${name}`,
        start: 'earliest',
        onOutOfRange: 'stop',
        positions: [],
        isBounded: true,
        connectTimeoutMs: 10_000,
        credit: new Credit(32 << 20),
      },
      silentTelemetry,
    );
    return sorted((await readAll(source)).records);
  }

  /** Two transactions in turn: one that stays, one that does not and ends the log. */
  async function writeTransactions(): Promise<void> {
    const client = new kafkajs.Kafka({
      clientId: 'test',
      brokers: [kafka.bootstrap],
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const producer = client.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const end of ['commit', 'abort'] as const) {
      const transaction = await producer.transaction();
      for (const partition of [0, 1]) {
        const messages = [{ key: 'k', value: `${end}ted in ${partition}`, partition, timestamp: '1700000000000' }];
        await transaction.send({ topic, messages });
      }
      await transaction[end]();
    }
    await producer.disconnect();
  }

  test('shows what the network shows, live and as a copy: codecs, headers, nulls, aborted records at the end', async (context) => {
    for (const codec of codecs) {
      const writer = kafkaWriter({
        brokers: [kafka.bootstrap],
        topic,
        partitions: 2,
        codec,
        connectTimeoutMs: 5000,
      });
      const records = Array.from({ length: 5000 }, (_, index) => ({
        key: index % 3 === 0 ? null : Buffer.from(`key-${index % 10}`),
        value: index % 11 === 0 ? null : Buffer.from(`${codec} value ${index} `.repeat(20)),
        headers: index % 5 === 0 ? [{ key: 'codec', value: Buffer.from(codec) }] : [],
        timestampMs: 1_700_000_000_000 + index * 37,
      }));
      await writer.send(records);
      await writer.close();
    }
    await writeTransactions();
    const network = await readNetwork(topic);
    assert.equal(network.length, 25_002);

    const live = await readAll(logSource(sourceOptions(kafka.dataDir), silentTelemetry));
    assert.deepEqual(sorted(live.records), network);

    await kafka.shutDown();
    const copy = join(temporaryDirectory(context), 'copy');
    cpSync(kafka.dataDir, copy, { recursive: true });
    const stored = await readAll(logSource(sourceOptions(copy), silentTelemetry));
    assert.deepEqual(sorted(stored.records), network);
    await assert.rejects(openWriter(copy), /a broker owns this directory/);
    await kafka.restart();
  });

  test('a broker serves a log of ours that was copied into it', async (context) => {
    const dir = temporaryDirectory(context);
    await writeLog(dir, 60, { segmentBytes: 3000, compression: 'lz4' });
    const ours = sorted((await readAll(logSource(sourceOptions(dir), silentTelemetry))).records);
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic: 'adopted', partitions: 1, connectTimeoutMs: 5000 });
    await writer.send([{ key: null, value: null, headers: [], timestampMs: 0 }]);
    await writer.close();
    await kafka.shutDown();
    const folder = join(kafka.dataDir, 'adopted-0');
    // All that the broker wrote goes, but for the topic's id.
    for (const name of readdirSync(folder)) if (name !== 'partition.metadata') rmSync(join(folder, name));
    cpSync(join(dir, `${topic}-0`), folder, { recursive: true });
    // What lies below its recovery point a broker takes for checked.
    writeFileSync(join(kafka.dataDir, 'recovery-point-offset-checkpoint'), '0\n0\n');
    await kafka.restart();
    const served = await readNetwork('adopted');
    assert.deepEqual(
      served.map((record) => ({ ...record, topic })),
      ours,
    );
  });
});
