import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RejectReason } from '../../src/records.ts';
import { Credit } from '../../src/sources/credit.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { documentOf, runPythonWithPackages, startCommand, temporaryDirectory, until } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import {
  fleetPipeline,
  inspectNewest,
  judgeTopic,
  metricOf,
  pageOf,
  runOnce,
  withAdmin,
  type FleetPipeline,
} from '../support/kafka/kafka-fleet.ts';
import { readAll, type ReadRecord } from '../support/kafka/read-source.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { badRecords, goodRecords, mixed, poisonedSchema, type TestRecord } from '../support/poison.ts';
import { missing } from '../support/requirements.ts';

const goodCount = 9500;
const good = goodRecords(goodCount);
const bad = badRecords();
const deadTopic = 'dead';

/** A line of the dead-letter file. */
interface LetterDocument {
  readonly reason: RejectReason;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

describe('run over Kafka with bad input', { skip: missing('kafka-4.3.1', 'python-packages') ?? false }, () => {
  const dir = temporaryDirectory({ after });
  let kafka: KafkaServer;
  let clean: RunDocument;

  before(async () => {
    kafka = await startKafka();
    writeFileSync(join(dir, 'readings.avsc'), JSON.stringify(poisonedSchema));
    await write('clean', good);
    await write('poisoned', mixed(good, bad));
    clean = await runOnce(pipeline('clean', 'clean'));
    assert.equal(clean.records.rejected, 0);
    assert.equal(clean.records.read, goodCount);
  });
  after(async () => {
    await kafka.stop();
  });

  async function write(topic: string, records: readonly TestRecord[]): Promise<void> {
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic, partitions: 1, connectTimeoutMs: 30_000 });
    const startMs = Date.now();
    await writer.send(
      records.map(({ key, value, reason }, n) => ({
        key,
        value,
        headers: reason === null ? [] : [{ key: 'poison', value: Buffer.from(reason) }],
        timestampMs: startMs + n,
      })),
    );
    await writer.close();
  }

  /** Batches by count alone: the same records give the same weights. */
  function pipeline(name: string, topic: string, over: Readonly<Record<string, unknown>> = {}): FleetPipeline {
    const source = { kafka: { brokers: [kafka.bootstrap], topics: [topic] } };
    return fleetPipeline(dir, name, source, {
      features: {
        temperature: {},
        load: {},
        count: {},
        site: { as: 'oneHot', max: 2 },
        powerBefore: { field: 'power', as: 'lag', rows: 1 },
      },
      target: { field: 'power', horizon: '20s' },
      batch: { rows: 64 },
      models: { main: { mlp: { hidden: [8] } } },
      ...over,
    });
  }

  const withoutScores = ({ records, steps, weightsDigest, metrics }: RunDocument): unknown => ({
    trained: records.trained,
    unlabelled: records.unlabelled,
    pending: records.pending,
    steps,
    weightsDigest,
    metrics,
  });

  test('each of the bad records is a dead letter with its reason, and the model is that of the clean stream', async () => {
    const expected = await judgeTopic(kafka, 'poisoned');
    assert.equal(expected.bad.length, bad.length);
    assert.ok(bad.length >= 20 && bad.length >= goodCount / 100, `${bad.length} bad records`);

    const poisoned = pipeline('poisoned', 'poisoned');
    const summary = await runOnce(poisoned);
    assert.equal(summary.records.read, goodCount + bad.length);
    assert.equal(summary.records.rejected, bad.length);
    assert.deepEqual(withoutScores(summary), withoutScores(clean));
    assert.deepEqual(summary.positions, expected.ends);

    const letters = readFileSync(join(poisoned.state, 'dead-letters.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LetterDocument)
      // A time or key that is missing is found behind the decoding of a block.
      .sort((a, b) => a.offset - b.offset);
    assert.deepEqual(
      letters.map(({ partition, offset, reason }) => [partition, offset, reason]),
      expected.bad,
    );
    assert.deepEqual(
      letters.map(({ key, value }) => ({ key, value })),
      bad.map(({ key, value }) => ({ key: key?.toString('base64') ?? null, value: value?.toString('base64') ?? null })),
    );
    assert.deepEqual(letters[0]?.headers, [{ key: 'poison', value: Buffer.from('value.empty').toString('base64') }]);
  });

  test('a dead-letter topic keeps key, value and headers and says where each came from; metrics count by reason', async () => {
    const expected = await judgeTopic(kafka, 'poisoned');
    const service = pipeline('service', 'poisoned', { deadLetter: { topic: deadTopic } });
    const command = startCommand(['run', service.file, '--json']);
    const url = await pageOf(command);
    const total = goodCount + bad.length;
    await until(
      async () => (await metricOf(url, 'millrace_lifetime_records'))['{outcome="read"}'] === total,
      'everything is read',
    );
    const counts = await metricOf(url, 'millrace_dead_letters_total');
    assert.deepEqual(
      Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
      byReason(bad.flatMap(({ reason }) => reason ?? [])),
    );
    command.kill('SIGTERM');
    const summary = documentOf(await command.ended) as RunDocument;
    assert.equal(summary.records.rejected, bad.length);
    assert.equal((await inspectNewest(service)).records.rejected, bad.length);

    const { records } = await readAll(deadLetters());
    const bySource = records.map((record) => ({ record, offset: Number(headerOf(record, 'millrace.error.offset')) }));
    bySource.sort((a, b) => a.offset - b.offset);
    assert.deepEqual(
      bySource.map(({ record, offset }) => [
        Number(headerOf(record, 'millrace.error.partition')),
        offset,
        headerOf(record, 'millrace.error.code'),
      ]),
      expected.bad,
    );
    for (const [index, { record }] of bySource.entries()) {
      assert.equal(headerOf(record, 'poison'), bad[index]?.reason);
      assert.equal(headerOf(record, 'millrace.error.topic'), 'poisoned');
      assert.match(headerOf(record, 'millrace.error.timestamp') ?? '', /^\d{13}$/);
      assert.equal(record.key, bad[index]?.key?.toString() ?? null);
      assert.equal(record.value, bad[index]?.value?.toString() ?? null);
    }
  });

  test('every codec, aborted transactions and an end in control records leave the same model', async () => {
    await withAdmin(kafka, (admin) =>
      admin.createTopics({ topics: [{ topic: 'copied', numPartitions: 1 }], waitForLeaders: true }),
    );
    const copy = (await runPythonWithPackages('kafka_copy.py', [kafka.bootstrap, 'clean', 'copied'])) as {
      copied: number;
      aborted: number;
    };
    assert.equal(copy.copied, goodCount);
    assert.ok(copy.aborted > goodCount / 3);
    const expected = await judgeTopic(kafka, 'copied');
    assert.equal(expected.distinct, goodCount);
    const end = expected.ends['copied:0'] ?? 0;
    assert.ok(end > goodCount + copy.aborted, 'control records take offsets too');

    const copied = pipeline('copied', 'copied');
    const summary = await runOnce(copied);
    assert.deepEqual(withoutScores(summary), withoutScores(clean));
    assert.deepEqual(summary.positions, expected.ends);
    assert.deepEqual(summary.records, clean.records);

    const again = await runOnce(copied);
    assert.deepEqual([again.records, again.recordsPerSecond], [clean.records, 0]);
  });

  const deadLetters = (): ReturnType<typeof kafkaSource> =>
    kafkaSource(
      {
        brokers: [kafka.bootstrap],
        topics: [deadTopic],
        groupId: 'reader-of-dead-letters',
        start: 'earliest',
        onOutOfRange: 'stop',
        positions: [],
        isBounded: true,
        connectTimeoutMs: 10_000,
        credit: new Credit(32 << 20),
      },
      silentTelemetry,
    );
});

function byReason(reasons: readonly RejectReason[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[`{reason="${reason}"}`] = (counts[`{reason="${reason}"}`] ?? 0) + 1;
  return counts;
}

function headerOf(record: ReadRecord, name: string): string | undefined {
  return record.headers.find(([key]) => key === name)?.[1] ?? undefined;
}
