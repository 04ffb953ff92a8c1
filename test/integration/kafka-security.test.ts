import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { Credit } from '../../src/sources/credit.ts';
import type { KafkaConnection } from '../../src/sources/kafka/kafka-connection.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { runCommand, runForDocument } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import { readAll, type Reading } from '../support/kafka/read-source.ts';
import { kafkaUser, startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

describe('Kafka with TLS and SASL', { skip: missing('kafka-4.3.1') ?? false }, () => {
  let kafka: KafkaServer;
  let folder: string;
  before(async () => {
    kafka = await startKafka({ tls: true });
    folder = mkdtempSync(join(tmpdir(), 'millrace-security-'));
  });
  after(async () => {
    await kafka.stop();
    rmSync(folder, { recursive: true });
  });

  const readFrom = (connection: Partial<KafkaConnection>, topic = 'secured'): Promise<Reading> =>
    readAll(
      kafkaSource(
        {
          brokers: [kafka.bootstrapTls ?? ''],
          ...connection,
          topics: [topic],
          groupId: 'group',
          start: 'earliest',
          onOutOfRange: 'stop',
          positions: [],
          isBounded: true,
          connectTimeoutMs: 1000,
          credit: new Credit(1 << 20),
        },
        silentTelemetry,
      ),
    );

  for (const mechanism of ['scram-sha-512', 'scram-sha-256', 'plain'] as const) {
    test(`records are written and read over TLS with ${mechanism}`, async () => {
      const passwordFile = join(folder, 'password');
      writeFileSync(passwordFile, `${kafkaUser.password}\n`);
      const topic = `secured-${mechanism}`;
      const tls = { caFile: kafka.caFile };
      const sasl = { mechanism, username: kafkaUser.username, passwordFile };
      const brokers = [kafka.bootstrapTls ?? ''];
      const writer = kafkaWriter({ brokers, tls, sasl, topic, connectTimeoutMs: 5000 });
      await writer.send([{ key: null, value: Buffer.from('safe'), headers: [], timestampMs: 1 }]);
      await writer.close();
      const { records } = await readFrom({ tls, sasl }, topic);
      assert.deepEqual(
        records.map(({ value }) => value),
        ['safe'],
      );
    });
  }

  test('produce writes over TLS and SASL, as the configuration of the reader says', async () => {
    const config = join(folder, 'secured.yaml');
    const schemaFile = join(folder, 'secured.avsc');
    const sasl = { mechanism: 'scram-sha-512', username: kafkaUser.username, password: '${KAFKA_PASSWORD}' };
    const pipeline = {
      name: 'secured',
      source: { kafka: { brokers: [kafka.bootstrapTls], topics: ['produced'], tls: { caFile: kafka.caFile }, sasl } },
      decode: { avro: { schemaFile } },
      key: 'sensorId',
      time: 'measuredAt',
      features: { vibration: {} },
      target: 'power',
      checkpoint: { dir: join(folder, 'state') },
      http: { port: 0 },
    };
    writeFileSync(config, JSON.stringify(pipeline));
    const env = { KAFKA_PASSWORD: kafkaUser.password };
    const produce = ['produce', '--config', config, '--simulate', '5', '--count', '300', '--partitions', '2', '--json'];
    const document = (await runForDocument(produce, { env })) as Record<string, unknown>;
    assert.deepEqual([document['topic'], document['total'], document['key']], ['produced', 300, 'sensorId']);
    const { records } = (await runForDocument(['run', config, '--once', '--json'], { env })) as RunDocument;
    assert.deepEqual([records.read, records.trained], [300, 300]);

    const refused = await runCommand(produce, { env: { KAFKA_PASSWORD: 'canary' } });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /source\.unavailable: cannot write to topic produced.*[Aa]uthentication/);
    assert.doesNotMatch(refused.stderr, /canary/);
  });

  test('init samples what a file says of the cluster, and leaves the password to the environment', async () => {
    const whole = join(folder, 'whole.yaml');
    const cluster = join(folder, 'cluster.yaml');
    const out = join(folder, 'sampled.yaml');
    const sasl = { mechanism: 'scram-sha-512', username: kafkaUser.username, password: '${KAFKA_PASSWORD}' };
    const tls = { caFile: kafka.caFile };
    const kafkaOf = {
      brokers: [kafka.bootstrapTls],
      topics: ['sampled'],
      groupId: 'learners',
      start: 'latest',
      tls,
      sasl,
    };
    const schemaFile = join(folder, 'sampled.avsc');
    const input = { source: { kafka: kafkaOf }, decode: { avro: { schemaFile } } };
    writeFileSync(cluster, JSON.stringify({ name: 'fleet', ...input }));
    writeFileSync(whole, JSON.stringify({ name: 'fleet', ...input, features: { load: {} }, target: 'power' }));
    const env = { KAFKA_PASSWORD: kafkaUser.password };
    await runForDocument(['produce', '--config', whole, '--simulate', '5', '--count', '300', '--json'], { env });
    const init = ['init', '--config', cluster, '--out', out, '--json'];
    const made = (await runForDocument(init, { env })) as Record<string, unknown>;
    assert.deepEqual([made['target'], made['key'], made['time']], ['power', 'sensorId', 'measuredAt']);
    const written = readFileSync(out, 'utf8');
    assert.deepEqual((parse(written) as { source: unknown }).source, { kafka: kafkaOf });
    assert.match(written, /^# Left out, since they only count up: seq\.$/m);
    assert.doesNotMatch(written, new RegExp(kafkaUser.password));
    assert.equal((await runCommand(['validate', out], { env })).code, 0);
  });

  test('a server whose certificate nobody vouches for is refused', async () => {
    await assert.rejects(readFrom({ tls: {} }), { code: 'source.unavailable', message: /self-signed certificate/ });
  });

  test('a wrong password is said, without saying it', async () => {
    const sasl = { mechanism: 'scram-sha-512', username: kafkaUser.username, password: 'canary' } as const;
    await assert.rejects(readFrom({ tls: { caFile: kafka.caFile }, sasl }), (error: Error) => {
      assert.match(error.message, /cannot reach Kafka.*[Aa]uthentication/);
      assert.doesNotMatch(error.stack ?? '', /canary/);
      return true;
    });
  });
});
