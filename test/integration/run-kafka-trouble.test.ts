import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import { simulate } from '../../src/sensors/simulate.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import { documentOf, runCommand, runForDocument, startCommand, temporaryDirectory, until } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import {
  fleetPipeline,
  inspectNewest,
  judgeTopic,
  metricOf,
  notReady,
  pageOf,
  produceFleet,
  runOnce,
  withAdmin,
  type FleetPipeline,
} from '../support/kafka/kafka-fleet.ts';
import { freePorts } from '../support/kafka/server-process.ts';
import { kafkaUser, startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { killRuns } from '../support/kill-runs.ts';
import { missing } from '../support/requirements.ts';

const connectTimeout = '2s';
/** While a slow trainer holds 144 MB of records back, of which 1 MiB may be in memory. */
const maxGrowthBytes = 64e6;

describe('run over Kafka in trouble', { skip: missing('kafka-4.3.1', 'python-packages') ?? false }, () => {
  const dir = temporaryDirectory({ after });
  let kafka: KafkaServer;

  before(async () => {
    kafka = await startKafka({ tls: true });
    // Makes the schema file.
    await runForDocument(produceFleet(dir, produceTo('small'), 1000));
  });
  after(async () => {
    await kafka.stop();
  });

  function produceTo(topic: string): string[] {
    return ['--brokers', kafka.bootstrap, '--topic', topic, '--partitions', '4'];
  }

  function pipeline(name: string, topic: string, over: Readonly<Record<string, unknown>> = {}): FleetPipeline {
    return fleetPipeline(dir, name, { kafka: { brokers: [kafka.bootstrap], topics: [topic] } }, over);
  }

  async function trainedOf(url: string): Promise<number> {
    return (await metricOf(url, 'millrace_lifetime_records'))['{outcome="trained"}'] ?? 0;
  }

  /** Every record of the topic is trained once, as an independent reader counts them. */
  async function assertExact(topic: string, count: number, done: FleetPipeline, summary: RunDocument): Promise<void> {
    const expected = await judgeTopic(kafka, topic);
    assert.deepEqual([expected.count, expected.distinct], [count, count]);
    assert.deepEqual(summary.records, {
      read: count,
      trained: count,
      rejected: 0,
      filtered: 0,
      unlabelled: 0,
      pending: 0,
    });
    assert.deepEqual(summary.positions, expected.ends);
    assert.deepEqual((await inspectNewest(done)).ledger, expected.ledger);
  }

  test('a broker that nobody reaches is said again and again and in the readiness check; --once gives up in time', async () => {
    const [port = 0] = await freePorts(1);
    const source = { kafka: { brokers: [`127.0.0.1:${port}`], topics: ['any'] } };
    const message = new RegExp(`cannot reach Kafka at 127\\.0\\.0\\.1:${port}: .*Check source\\.kafka\\.brokers`);
    const service = startCommand(['run', fleetPipeline(dir, 'away', source).file]);
    const bounded = await runCommand(['run', fleetPipeline(dir, 'once', source, { connectTimeout }).file, '--once']);
    assert.equal(bounded.code, 1);
    assert.match(bounded.stderr, message);
    assert.match(bounded.stderr, /Gave up after \d+ s/);

    await service.says(message);
    const url = await pageOf(service);
    assert.match((await notReady(url)).join('\n'), message);
    assert.equal((await fetch(`${url}/v2/health/live`)).status, 200);
    await until(() => service.stderr().split('cannot reach Kafka').length > 2, 'said again');
    service.kill('SIGTERM');
    assert.equal((await service.ended).code, 0);
  });

  test('a missing topic is said and awaited, and read as soon as it is there; --once gives up in time', async () => {
    const topic = 'late';
    const message = new RegExp(`no such topic at .*: ${topic}\\b.*as soon as it exists`);
    const bounded = await runCommand(['run', pipeline('hurried', topic, { connectTimeout }).file, '--once']);
    assert.equal(bounded.code, 1);
    assert.match(bounded.stderr, message);

    const patient = pipeline('patient', topic);
    const command = startCommand(['run', patient.file, '--json']);
    const url = await pageOf(command);
    await command.says(message);
    assert.match((await notReady(url)).join('\n'), message);
    await runForDocument(produceFleet(dir, produceTo(topic), 2000));
    await until(async () => (await trainedOf(url)) === 2000, 'all is learned');
    assert.deepEqual(await notReady(url), []);
    command.kill('SIGTERM');
    await assertExact(topic, 2000, patient, documentOf(await command.ended) as RunDocument);
  });

  test('reads over TLS with SCRAM, and refuses a wrong password', async () => {
    const passwordFile = join(dir, 'password');
    const sasl = { mechanism: 'scram-sha-512', username: kafkaUser.username, passwordFile };
    const connection = { brokers: [kafka.bootstrapTls], tls: { caFile: kafka.caFile }, sasl };
    const secure = fleetPipeline(dir, 'secure', { kafka: { ...connection, topics: ['small'] } }, { connectTimeout });
    writeFileSync(passwordFile, 'wrong\n');
    const refused = await runCommand(['run', secure.file, '--once', '--json']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /authentication/i);
    writeFileSync(passwordFile, `${kafkaUser.password}\n`);
    await assertExact('small', 1000, secure, await runOnce(secure));
  });

  test('a broker that dies and comes back under load costs nothing: each record is written and learned once', async () => {
    const [topic, count] = ['restarted', 40_000];
    const producer = startCommand(produceFleet(dir, produceTo(topic), count, ['--rate', '4000']));
    const learner = pipeline('learner', topic);
    const command = startCommand(['run', learner.file, '--json']);
    const url = await pageOf(command);
    for (const end of ['clean', 'killed'] as const) {
      const before = await trainedOf(url);
      await until(async () => (await trainedOf(url)) > before + 5000, `learning before the ${end} restart`);
      if (end === 'killed') await kafka.kill();
      await kafka.restart();
      assert.ok(producer.isRunning(), 'the producer still has records to send');
    }
    documentOf(await producer.ended);
    await until(async () => (await trainedOf(url)) === count, 'all is learned');
    command.kill('SIGTERM');
    await assertExact(topic, count, learner, documentOf(await command.ended) as RunDocument);
  });

  test('kill -9 again and again, over four partitions that grow: each record is learned once', async () => {
    const [topic, count] = ['killed', 60_000];
    // Kafka takes a killed member for alive for ten seconds, so that each start waits: there must be records left to learn.
    const producer = startCommand(produceFleet(dir, produceTo(topic), count, ['--rate', '1500']));
    await until(async () => withAdmin(kafka, async (admin) => (await admin.listTopics()).includes(topic)), 'the topic');
    const killed = pipeline('killed', topic);
    const { steps } = await killRuns({ ...killed, deadLetters: '' }, { kills: 3, seed: 4 });
    assert.ok(new Set(steps.filter((step) => step > 0)).size >= 3, `steps resumed from: ${steps.join(', ')}`);
    documentOf(await producer.ended);
    await assertExact(topic, count, killed, await runOnce(killed));
  });

  test('a slow trainer holds reading back: memory stays flat, the group is kept, and everything is learned', async () => {
    const [topic, count, paddingBytes] = ['slow', 30_000, 6000];
    const readings = simulate({ sensors: 40, seed: 5, topic });
    const fields = [...readings.schema.fields, { name: 'padding', type: 'string' }];
    const schema = JSON.stringify({ ...readings.schema, fields });
    const schemaFile = join(dir, 'padded.avsc');
    writeFileSync(schemaFile, schema);
    const encode = avroEncoder(schema, 1);
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic, partitions: 4, connectTimeoutMs: 30_000 });
    await writer.send(
      Array.from({ length: count }, (_, n) => ({
        key: Buffer.from(readings.key(n) ?? ''),
        value: encode({ ...readings.value(n), padding: String(n).padEnd(paddingBytes, '.') }),
        headers: [],
        timestampMs: Date.now(),
      })),
    );
    await writer.close();

    const slow = pipeline('slow', topic, {
      decode: { avro: { schemaFile } },
      models: { main: { mlp: { hidden: [128, 128] } } },
      backend: 'cpu',
      batch: { rows: 64, maxDelay: '200ms' },
      limits: { creditBytes: '1MiB', ringBytes: '64KiB' },
    });
    const command = startCommand(['run', slow.file, '--json']);
    const url = await pageOf(command);
    await until(async () => (await trainedOf(url)) > count / 10, 'a tenth is learned');
    const member = await groupMember(slow.name);
    const residentBytes: number[] = [];
    await until(async () => {
      residentBytes.push((await metricOf(url, 'process_resident_memory_bytes'))[''] ?? NaN);
      await sleep(100);
      return (await trainedOf(url)) === count;
    }, 'all is learned');
    const [first = 0] = residentBytes;
    const growth = Math.max(...residentBytes) - first;
    assert.ok(growth < maxGrowthBytes, `RSS grew by ${growth} bytes`);
    assert.equal(await groupMember(slow.name), member, 'still the same member');
    assert.deepEqual(await metricOf(url, 'millrace_source_interruptions_total'), { '': 0 });
    command.kill('SIGTERM');
    await assertExact(topic, count, slow, documentOf(await command.ended) as RunDocument);
  });

  function groupMember(groupId: string): Promise<string> {
    return withAdmin(kafka, async (admin) => {
      const { groups } = await admin.describeGroups([groupId]);
      assert.equal(groups[0]?.state, 'Stable');
      return groups[0].members.map(({ memberId }) => memberId).join();
    });
  }
});
