import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import { checkoutDirectory, documentOf, projectRoot, runCommand, runForDocument } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import { anyPort, onTerminal } from '../support/init.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { startRegistry, type RegistryServer } from '../support/registry.ts';
import { missing } from '../support/requirements.ts';

const skip = missing('kafka-4.3.1', 'apicurio-2.6.13.Final') ?? false;

describe('millrace init from Kafka', { skip }, () => {
  let kafka: KafkaServer;
  let registry: RegistryServer;

  before(async () => {
    [kafka, registry] = await Promise.all([startKafka(), startRegistry()]);
  });
  after(async () => {
    await Promise.all([kafka.stop(), registry.stop()]);
  });

  const fleet = ['--simulate', '5', '--count', '500', '--partitions', '3'];
  const produce = async (topic: string, schema: readonly string[], cwd: string): Promise<void> => {
    const to = ['--brokers', kafka.bootstrap, '--topic', topic, '--json'];
    await runForDocument(['produce', ...to, ...schema, ...fleet], { cwd });
  };
  const init = (topic: string): string[] => [
    'init',
    '--source',
    'kafka',
    '--brokers',
    kafka.bootstrap,
    '--topic',
    topic,
  ];

  /** Validates what was written and learns with it. */
  const learn = async (file: string, cwd: string): Promise<RunDocument> => {
    anyPort(join(cwd, file));
    const { code, stderr } = await runCommand(['validate', file], { cwd });
    assert.equal(code, 0, stderr);
    return (await runForDocument(['run', file, '--once', '--json'], { cwd })) as RunDocument;
  };

  test('finds fields, key and time of Avro with a registry', async (t) => {
    const cwd = checkoutDirectory(t);
    await produce('registered', ['--registry', registry.url], cwd);
    const args = [...init('registered'), '--registry', registry.url, '--target', 'power', '--json'];
    const made = documentOf(await runCommand(args, { cwd })) as Record<string, unknown>;
    assert.deepEqual([made['target'], made['key'], made['time']], ['power', 'sensorId', 'measuredAt']);
    const { records } = await learn('registered.yaml', cwd);
    assert.deepEqual([records.read, records.trained], [500, 500]);
  });

  test('finds them with a schema file', async (t) => {
    const cwd = checkoutDirectory(t);
    await produce('filed', ['--schema', 'filed.avsc'], cwd);
    const args = [...init('filed'), '--schema', 'filed.avsc', '--target', 'power', '--json'];
    const made = documentOf(await runCommand(args, { cwd })) as Record<string, unknown>;
    assert.deepEqual([made['key'], made['time']], ['sensorId', 'measuredAt']);
    assert.equal((await learn('filed.yaml', cwd)).records.trained, 500);
  });

  test('finds them in JSON, nested fields too', async (t) => {
    const cwd = checkoutDirectory(t);
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic: 'json', connectTimeoutMs: 10_000 });
    const value = (row: number): string =>
      JSON.stringify({ device: { id: `d${row % 3}` }, at: 1.7e12 + row, load: row % 7, heat: 2 * (row % 7) });
    await writer.send(
      Array.from({ length: 200 }, (_, row) => ({
        key: null,
        value: Buffer.from(value(row)),
        headers: [],
        timestampMs: 1.7e12,
      })),
    );
    await writer.close();
    const made = documentOf(await runCommand([...init('json'), '--json'], { cwd })) as Record<string, unknown>;
    assert.deepEqual([made['target'], made['key'], made['time']], ['heat', 'device.id', 'at']);
    assert.equal((await learn('json.yaml', cwd)).records.trained, 200);
  });

  test('asks on a terminal for brokers, topic and registry, and for what it proposes', async (t) => {
    const cwd = checkoutDirectory(t);
    await produce('asked', ['--registry', registry.url], cwd);
    const { code, screen } = await onTerminal(
      [process.execPath, join(projectRoot, 'bin/millrace.js'), 'init'],
      [
        ['Where do records come from?', '\r'],
        ['Which brokers?', `${'\x7f'.repeat('localhost:9092'.length)}${kafka.bootstrap}\r`],
        ['Which topic?', 'asked\r'],
        ['URL of the registry?', `${registry.url}\r`],
        ['What shall be predicted?', '\r'],
        ['Which field tells sensors apart?', '\r'],
        ['Which field is the time of measuring?', '\r'],
      ],
      cwd,
    );
    assert.equal(code, 0, screen);
    assert.match(screen, /asked\.yaml: predicts \w+\. Check it/);
    assert.equal((await learn('asked.yaml', cwd)).records.read, 500);
  });

  test('says which topic is not there', async (t) => {
    const cwd = checkoutDirectory(t);
    const { code, stderr } = await runCommand(init('nowhere'), { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /^millrace: source\.unavailable: .*nowhere/m);
  });
});
