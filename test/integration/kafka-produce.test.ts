import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import { playReadings } from '../../src/sensors/play-readings.ts';
import { simulate } from '../../src/sensors/simulate.ts';
import { Credit } from '../../src/sources/credit.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkajs } from '../../src/sources/kafka/kafkajs.ts';
import { logSource } from '../../src/sources/log/log-source.ts';
import { codecs } from '../../src/sources/record-batch/compression.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { logSink } from '../../src/cli/reading-sinks.ts';
import { runCommand, runForDocument, startCommand, temporaryDirectory, until } from '../support/command.ts';
import { kafkaVersions, startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { contentsOf, rawRecords, type RawRecord } from '../support/raw-records.ts';
import { startRegistry } from '../support/registry.ts';
import { missing } from '../support/requirements.ts';

const fleet = { sensors: 15, seed: 3 };

/** The same readings in an embedded log: what a topic must hold. */
async function expectedContents(dir: string, topic: string, count: number, schemaId = 1): Promise<readonly string[][]> {
  const readings = simulate({ ...fleet, topic });
  const sink = await logSink({ dir, topic, partitions: 4 });
  const encode = avroEncoder(JSON.stringify(readings.schema), schemaId);
  await playReadings(readings, sink, encode, { count, ratePerSecond: null, signal: new AbortController().signal });
  await sink.close();
  const reading = { start: 'earliest', onOutOfRange: 'stop', positions: [], isBounded: true } as const;
  const source = logSource(
    { dir, topic, ...reading, credit: new Credit(32 << 20), connectTimeoutMs: 1000, pollMs: 100 },
    silentTelemetry,
  );
  return contentsOf(await rawRecords(source));
}

for (const version of kafkaVersions) {
  const skip = missing(`kafka-${version}`, 'apicurio-2.6.13.Final') ?? false;
  describe(`produce into Kafka ${version}`, { skip }, () => {
    let kafka: KafkaServer;

    before(async () => {
      kafka = await startKafka({ version });
    });
    after(async () => {
      await kafka.stop();
    });

    const produce = (
      topic: string,
      schema: readonly string[],
      count: number,
      more: readonly string[] = [],
    ): string[] => [
      ...['produce', '--brokers', kafka.bootstrap, '--topic', topic, ...schema],
      ...['--simulate', String(fleet.sensors), '--seed', String(fleet.seed), '--count', String(count)],
      ...['--partitions', '4', '--json', ...more],
    ];

    const read = (topic: string): Promise<ReadonlyMap<number, readonly RawRecord[]>> =>
      rawRecords(
        kafkaSource(
          {
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
          },
          silentTelemetry,
        ),
      );

    async function endOffsets(topic: string): Promise<number> {
      const admin = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
      try {
        await admin.connect();
        if (!(await admin.listTopics()).includes(topic)) return 0;
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets.reduce((sum, { high }) => sum + Number(high), 0);
      } catch (error) {
        // A topic that was made this moment has no leader yet.
        if (error instanceof kafkajs.KafkaJSProtocolError && error.retriable) return 0;
        throw error;
      } finally {
        await admin.disconnect();
      }
    }

    test('makes the topic, and a run killed and run again leaves what an undisturbed one leaves', async (t) => {
      const dir = temporaryDirectory(t);
      const topic = 'killed';
      const schema = ['--schema', join(dir, 'schemas', 'killed.avsc')];
      for (const most of [2000, 6000]) {
        const command = startCommand(produce(topic, schema, 20_000, ['--rate', '6000']));
        await until(async () => (await endOffsets(topic)) > most, 'the topic grows');
        command.kill('SIGKILL');
        assert.equal((await command.ended).signal, 'SIGKILL');
      }
      const document = (await runForDocument(produce(topic, schema, 20_000))) as Record<string, unknown>;
      assert.deepEqual([document['total'], document['partitions'], document['schemaId']], [20_000, 4, 1]);
      assert.ok(existsSync(String(document['schemaFile'])));
      assert.deepEqual(contentsOf(await read(topic)), await expectedContents(dir, topic, 20_000));
    });

    for (const codec of codecs) {
      test(`writes under ${codec}`, async (t) => {
        const dir = temporaryDirectory(t);
        const topic = `codec-${codec}`;
        await runForDocument(produce(topic, ['--schema', join(dir, 's.avsc')], 1000, ['--compression', codec]));
        assert.deepEqual(contentsOf(await read(topic)), await expectedContents(dir, topic, 1000));
      });
    }

    test('registers the schema and writes with its id', async (t) => {
      const dir = temporaryDirectory(t);
      const registry = await startRegistry();
      t.after(() => registry.stop());
      const topic = 'registered';
      const args = produce(topic, ['--registry', registry.url], 500);
      const document = (await runForDocument(args)) as Record<string, unknown>;
      const id = Number(document['schemaId']);
      assert.equal(document['schemaFile'], null);
      const response = await fetch(`${registry.url}/subjects/${topic}-value/versions/latest`);
      const registered = (await response.json()) as { id: number; schema: string };
      assert.equal(registered.id, id);
      assert.deepEqual(JSON.parse(registered.schema), simulate({ ...fleet, topic }).schema);
      assert.deepEqual(contentsOf(await read(topic)), await expectedContents(dir, topic, 500, id));
    });

    test('refuses a topic of another number of partitions', async (t) => {
      const schema = ['--schema', join(temporaryDirectory(t), 's.avsc')];
      await runForDocument(produce('four', schema, 10));
      const args = produce('four', schema, 20).map((arg) => (arg === '4' ? '3' : arg));
      const { code, stderr } = await runCommand(args);
      assert.match(stderr, /--partitions: 3 asked for, but four has 4/);
      assert.equal(code, 2);
    });
  });
}
