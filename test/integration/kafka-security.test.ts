import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Credit } from '../../src/sources/credit.ts';
import type { KafkaConnection } from '../../src/sources/kafka/kafka-connection.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
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
