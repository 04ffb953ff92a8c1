import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import { simulate } from '../../src/sensors/simulate.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import {
  documentOf,
  runCommand,
  runForDocument,
  startCommand,
  temporaryDirectory,
  until,
  type RunningCommand,
} from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import {
  fleetPipeline,
  inspectNewest,
  judgeTopic,
  metricOf,
  notReady,
  pageOf,
  runOnce,
  type FleetPipeline,
} from '../support/kafka/kafka-fleet.ts';
import { freePorts } from '../support/kafka/server-process.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { startProxy, type TcpProxy } from '../support/kafka/tcp-proxy.ts';
import { startRegistry, type RegistryServer } from '../support/registry.ts';
import { missing } from '../support/requirements.ts';

const produced = 20_000;
const unknownId = 999_999;
const topic = 'readings';
/** What the registry's own client says when nobody listens. */
const refused = /the schema registry does not serve http:\/\/127\.0\.0\.1:\d+\/.*schemas\/ids\/\d+: .*ECONNREFUSED/;

const skip = missing('kafka-4.3.1', 'apicurio-2.6.13.Final', 'python-packages') ?? false;
describe('run over Kafka with a schema registry', { skip }, () => {
  const dir = temporaryDirectory({ after });
  let kafka: KafkaServer;
  let registry: RegistryServer;
  /** Stands in front of the registry, and is away when the registry is to be. */
  let proxy: TcpProxy;
  let proxyPort: number;

  before(async () => {
    kafka = await startKafka();
    registry = await startRegistry();
    [proxyPort = 0] = await freePorts(1);
    proxy = await startProxy(proxyPort);
    await registryReturns();
    const target = ['--brokers', kafka.bootstrap, '--topic', topic, '--partitions', '4', '--registry', registry.url];
    const count = ['--simulate', '40', '--seed', '5', '--count', String(produced)];
    await runForDocument(['produce', ...target, ...count, '--json']);
    const value = avroEncoder(JSON.stringify(simulate({ sensors: 1, seed: 1, topic }).schema), unknownId);
    await write([{ value: value(reading(0)), poison: 'schema.unknown' }]);
  });
  after(async () => {
    await proxy.stop();
    await registry.stop();
    await kafka.stop();
  });

  async function registryReturns(): Promise<void> {
    await proxy.stop();
    proxy = await startProxy(proxyPort);
    proxy.forwardTo(Number(new URL(registry.url).port));
  }

  function pipeline(name: string, over: Readonly<Record<string, unknown>> = {}): FleetPipeline {
    const url = new URL(registry.url);
    url.port = String(proxyPort);
    const decode = { avro: { registry: { url: url.href } } };
    return fleetPipeline(dir, name, { kafka: { brokers: [kafka.bootstrap], topics: [topic] } }, { decode, ...over });
  }

  async function write(records: readonly { readonly value: Buffer; readonly poison?: string }[]): Promise<void> {
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic, connectTimeoutMs: 30_000 });
    const headersOf = (poison?: string): { key: string; value: Buffer }[] =>
      poison === undefined ? [] : [{ key: 'poison', value: Buffer.from(poison) }];
    await writer.send(
      records.map(({ value, poison }, n) => ({
        key: Buffer.from(`sensor-${n}`),
        value,
        headers: headersOf(poison),
        timestampMs: Date.now(),
      })),
    );
    await writer.close();
  }

  /** Learned is what an independent reader finds; the one record of an unknown schema is the only dead letter. */
  async function assertAllLearned(done: FleetPipeline, { records, positions }: RunDocument): Promise<void> {
    const expected = await judgeTopic(kafka, topic);
    assert.equal(expected.bad.length, 1);
    const { count } = expected;
    assert.deepEqual(records, { read: count + 1, trained: count, rejected: 1, filtered: 0, unlabelled: 0, pending: 0 });
    assert.deepEqual(positions, expected.ends);
    assert.deepEqual((await inspectNewest(done)).ledger, expected.ledger);
  }

  async function untilRead(url: string, read: number): Promise<void> {
    const counts = { '{outcome="read"}': read, '{outcome="trained"}': read - 1, '{outcome="pending"}': 0 };
    await until(async () => {
      const now = await metricOf(url, 'millrace_lifetime_records');
      return Object.entries(counts).every(([outcome, count]) => now[outcome] === count);
    }, `${read} records are learned`);
  }

  async function assertWaits(command: RunningCommand, url: string): Promise<void> {
    await until(async () => (await notReady(url)).some((reason) => refused.test(reason)), 'not ready, and says why');
    await command.says(refused);
    await until(async () => ((await metricOf(url, 'millrace_registry_retries_total'))[''] ?? 0) >= 3, 'tries again');
  }

  test('--once learns what produce wrote under a schema that it registered; an unknown id is a dead letter', async () => {
    const once = pipeline('once');
    await assertAllLearned(once, await runOnce(once));
  });

  test('--once gives up on a registry that is down after connectTimeout, and loses nothing by it', async () => {
    await proxy.stop();
    const bounded = pipeline('bounded', { connectTimeout: '2s' });
    const { code, stderr, stdout } = await runCommand(['run', bounded.file, '--once', '--json']);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, refused);
    await registryReturns();
    await assertAllLearned(bounded, await runOnce(bounded));
  });

  test('a service waits for a registry that is down at the start, and for one that goes away before an id is known; it can be stopped meanwhile', async () => {
    await proxy.stop();
    const service = pipeline('service');
    const command = startCommand(['run', service.file, '--json']);
    const url = await pageOf(command);
    await assertWaits(command, url);
    assert.deepEqual(
      Object.values(await metricOf(url, 'millrace_dead_letters_total')).filter((n) => n > 0),
      [],
    );
    await registryReturns();
    await untilRead(url, produced + 1);
    assert.deepEqual(await notReady(url), []);

    const schema = JSON.stringify(nextSchema);
    const id = await register(registry, `${topic}-value`, schema);
    await proxy.stop();
    const value = avroEncoder(schema, id);
    await write(Array.from({ length: 500 }, (_, n) => ({ value: value({ ...reading(n), firmware: 'b' }) })));
    await assertWaits(command, url);
    command.kill('SIGTERM');
    const { records } = documentOf(await command.ended) as RunDocument;
    assert.deepEqual([records.read, records.rejected, records.trained], [produced + 1, 1, produced]);

    const resumed = startCommand(['run', service.file, '--json']);
    const resumedUrl = await pageOf(resumed);
    await assertWaits(resumed, resumedUrl);
    await registryReturns();
    await untilRead(resumedUrl, produced + 501);
    assert.deepEqual(await notReady(resumedUrl), []);
    resumed.kill('SIGTERM');
    await assertAllLearned(service, documentOf(await resumed.ended) as RunDocument);
  });
});

/** The schema of the fleet with one field more. */
const nextSchema = (() => {
  const { schema } = simulate({ sensors: 1, seed: 1, topic });
  return { ...schema, fields: [...schema.fields, { name: 'firmware', type: 'string', default: 'a' }] };
})();

/** A reading of a sensor that the fleet does not have. */
function reading(n: number): Record<string, unknown> {
  return { ...simulate({ sensors: 1, seed: 9, topic }).value(n), sensorId: 'late' };
}

async function register({ url }: RegistryServer, subject: string, schema: string): Promise<number> {
  const response = await fetch(`${url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  assert.equal(response.status, 200);
  return ((await response.json()) as { id: number }).id;
}
