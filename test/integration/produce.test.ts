import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAvroSchema } from '../../src/codecs/avro-schema.ts';
import { partitionOfKey } from '../../src/sensors/murmur2.ts';
import { Credit } from '../../src/sources/credit.ts';
import { logSource } from '../../src/sources/log/log-source.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import {
  projectRoot,
  runCommand,
  runForDocument,
  startCommand,
  temporaryDirectory,
  until,
} from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import { contentsOf, rawRecords, type RawRecord } from '../support/raw-records.ts';

const topic = 'readings';
const weather = join(projectRoot, 'examples/weather/weather.csv.gz');

function read(dir: string, name = topic): Promise<ReadonlyMap<number, readonly RawRecord[]>> {
  return rawRecords(
    logSource(
      {
        dir,
        topic: name,
        start: 'earliest',
        onOutOfRange: 'stop',
        credit: new Credit(32 << 20),
        positions: [],
        isBounded: true,
        connectTimeoutMs: 1000,
        pollMs: 100,
      },
      silentTelemetry,
    ),
  );
}

function logBytes(dir: string): number {
  let bytes = 0;
  for (const folder of readdirSync(dir, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue;
    for (const file of readdirSync(join(dir, folder.name))) {
      if (file.endsWith('.log')) bytes += statSync(join(dir, folder.name, file)).size;
    }
  }
  return bytes;
}

describe('produce into an embedded log', () => {
  test('replays a CSV file in event time, keyed and typed, with a schema to read it by', async (t) => {
    const dir = temporaryDirectory(t);
    const args = ['produce', '--log', dir, '--topic', 'weather', '--csv', weather, '--key', 'origin', '--json'];
    const before = Date.now();
    const document = (await runForDocument(args)) as Record<string, unknown>;
    const { seconds, ...rest } = document;
    assert.ok(typeof seconds === 'number' && seconds > 0);
    assert.deepEqual(rest, {
      topic: 'weather',
      records: 26_115,
      total: 26_115,
      partitions: 1,
      schemaFile: join(dir, 'weather.avsc'),
      schemaId: 1,
      key: 'origin',
      time: 'time_hour',
      target: 'visib',
    });
    const schema = readFileSync(join(dir, 'weather.avsc'), 'utf8');
    assert.deepEqual(
      JSON.parse(schema),
      JSON.parse(readFileSync(join(projectRoot, 'examples/weather/weather.avsc'), 'utf8')),
    );
    const type = parseAvroSchema(schema);
    const records = (await read(dir, 'weather')).get(0) ?? [];
    assert.equal(records.length, 26_115);
    let lastTime = -Infinity;
    for (const { key, value, timestampMs } of records) {
      assert.equal(value[0], 0);
      assert.equal(value.readInt32BE(1), 1);
      const reading = type.fromBuffer(value.subarray(5)) as Record<string, unknown>;
      assert.equal(reading['origin'], key);
      assert.ok(typeof reading['time_hour'] === 'number' && reading['time_hour'] >= lastTime);
      lastTime = reading['time_hour'];
      assert.ok(timestampMs >= before, 'records are stamped with the time of sending');
    }
    const first = type.fromBuffer(records[0]!.value.subarray(5)) as Record<string, unknown>;
    assert.deepEqual(
      { ...first },
      {
        origin: 'EWR',
        year: 2013,
        month: 1,
        day: 1,
        hour: 1,
        temp: 39.02,
        dewp: 26.06,
        humid: 59.37,
        wind_dir: 270,
        wind_speed: 10.357019999999999,
        wind_gust: null,
        precip: 0,
        pressure: 1012,
        visib: 10,
        time_hour: Date.UTC(2013, 0, 1, 6),
      },
    );
    const again = (await runForDocument(args)) as Record<string, unknown>;
    assert.deepEqual([again['records'], again['total']], [0, 26_115]);
  });

  test('puts keys where the Java client puts them', async (t) => {
    const dir = temporaryDirectory(t);
    await runForDocument([
      ...['produce', '--log', dir, '--topic', topic, '--simulate', '20', '--count', '2000'],
      ...['--partitions', '4', '--compression', 'lz4', '--json'],
    ]);
    for (const [partition, records] of await read(dir)) {
      for (const { key } of records) assert.equal(partitionOfKey(Buffer.from(key ?? ''), 4), partition);
    }
  });

  test('a run killed again and again leaves what an undisturbed one leaves', async (t) => {
    const [whole, killed] = [temporaryDirectory(t), temporaryDirectory(t)];
    const args = (dir: string): string[] => [
      ...['produce', '--log', dir, '--topic', topic, '--simulate', '15', '--seed', '3'],
      ...['--count', '30000', '--partitions', '4', '--json'],
    ];
    await runForDocument(args(whole));
    let kills = 0;
    for (; kills < 4; kills++) {
      const bytes = logBytes(killed);
      const command = startCommand([...args(killed), '--rate', '8000']);
      await until(() => logBytes(killed) > bytes + 120_000 * (kills + 1), 'the log grows');
      command.kill('SIGKILL');
      assert.equal((await command.ended).signal, 'SIGKILL');
    }
    const { records, total } = (await runForDocument(args(killed))) as { records: number; total: number };
    assert.ok(records > 0 && records < 30_000);
    assert.equal(total, 30_000);
    assert.deepEqual(contentsOf(await read(killed)), contentsOf(await read(whole)));
  });

  test('stops cleanly on SIGTERM and says what it sent', async (t) => {
    const dir = temporaryDirectory(t);
    const args = ['produce', '--log', dir, '--topic', topic, '--simulate', '5', '--rate', '2000', '--json'];
    const command = startCommand(args);
    await until(() => logBytes(dir) > 20_000, 'the log grows');
    command.kill('SIGTERM');
    const { code, stdout } = await command.ended;
    assert.equal(code, 0);
    const { records } = JSON.parse(stdout) as { records: number };
    assert.ok(records > 0);
    assert.equal((await read(dir)).get(0)?.length, records);
  });

  test('keeps to a rate', async (t) => {
    const dir = temporaryDirectory(t);
    const args = ['produce', '--log', dir, '--topic', topic, '--count', '500', '--rate', '500', '--json'];
    await runForDocument(args);
    const records = (await read(dir)).get(0) ?? [];
    const tookMs = (records.at(-1)?.timestampMs ?? 0) - (records[0]?.timestampMs ?? 0);
    assert.ok(tookMs >= 950, `500 records at 500 a second took ${tookMs} ms`);
  });

  test('writes what a pipeline reads, where its configuration says so', async (t) => {
    const dir = temporaryDirectory(t);
    const config = join(dir, 'pumps.yaml');
    const pipeline = {
      name: 'pumps',
      source: { log: { dir: join(dir, 'log'), topic: 'pumps' } },
      decode: { avro: { schemaFile: join(dir, 'pumps.avsc'), schemaId: 7 } },
      key: 'sensorId',
      time: 'measuredAt',
      features: { vibration: {} },
      target: 'power',
      checkpoint: { dir: join(dir, 'state') },
      http: { port: 0 },
    };
    writeFileSync(config, JSON.stringify(pipeline));
    const args = ['produce', '--config', config, '--simulate', '5', '--count', '300', '--json'];
    const document = (await runForDocument(args)) as Record<string, unknown>;
    assert.deepEqual(
      [document['topic'], document['schemaId'], document['key'], document['time']],
      ['pumps', 7, 'sensorId', 'measuredAt'],
    );
    const { records } = (await runForDocument(['run', config, '--once', '--json'])) as RunDocument;
    assert.deepEqual([records.read, records.trained], [300, 300]);

    writeFileSync(config, JSON.stringify({ ...pipeline, decode: 'json' }));
    const refused = await runCommand(args);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /pumps\.yaml: produce writes Avro to Kafka or an embedded log, and decode is json/);
  });

  test('refuses what cannot be meant, with the option and the fix', async (t) => {
    const dir = temporaryDirectory(t);
    const log = ['produce', '--log', dir, '--topic', topic];
    await runForDocument([...log, '--count', '10', '--partitions', '2', '--json']);
    const other = join(dir, 'other.avsc');
    writeFileSync(other, '{"type":"record","name":"other","fields":[{"name":"colour","type":"string"}]}');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['produce', '--topic', topic], /--config FILE, --brokers HOST:PORT or --log DIR/],
      [['produce', '--log', dir], /which topic to write to: --topic NAME/],
      [[...log, '--config', 'pumps.yaml'], /'--config <file>' cannot be used with option '--log/],
      [[...log, '--registry', 'registry'], /--registry registry: is no URL/],
      [[...log, '--csv', 'nowhere.csv'], /--csv: nowhere\.csv is not a file; check the spelling/],
      [[...log, '--csv', weather, '--key', 'airport'], /--key: there is no column airport; there are origin, /],
      [[...log, '--csv', weather, '--simulate', '3'], /'--csv <file>' cannot be used with option '--simulate/],
      [[...log, '--partitions', '3'], /--partitions: 3 asked for, but readings has 2; leave the option out/],
      [[...log, '--count', 'many'], /expected a whole number/],
      [[...log, '--count', '20', '--schema', other], /other\.avsc: a reading does not fit this schema/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr, stdout } = await runCommand(args);
      assert.match(stderr, message);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
    }
  });
});
