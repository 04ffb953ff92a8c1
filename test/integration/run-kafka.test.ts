import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  checkoutDirectory,
  documentOf,
  runCommand,
  runForDocument,
  startCommand,
  temporaryDirectory,
  until,
} from '../support/command.ts';
import type { InspectDocument, RunDocument } from '../support/documents.ts';
import { commandsOf } from '../support/example-commands.ts';
import {
  committedOffsets,
  fleetPipeline,
  inspectNewest,
  judgeTopic,
  metricOf,
  pageOf,
  produceFleet,
  runOnce,
  type TopicDocument,
} from '../support/kafka/kafka-fleet.ts';
import { kafkaVersions, startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

const recordCount = 200_000;
const topic = 'fleet';
const allTrained = { read: recordCount, trained: recordCount, rejected: 0, filtered: 0, unlabelled: 0, pending: 0 };

for (const version of kafkaVersions) {
  const skip = missing(`kafka-${version}`, 'python-packages') ?? false;
  describe(`run over Kafka ${version}, four partitions`, { skip }, () => {
    let kafka: KafkaServer;
    const dir = temporaryDirectory({ after });
    let expected: TopicDocument;

    before(async () => {
      kafka = await startKafka({ version });
      const target = ['--brokers', kafka.bootstrap, '--topic', topic, '--partitions', '4'];
      await runForDocument(produceFleet(dir, target, recordCount));
      expected = await judgeTopic(kafka, topic);
      assert.equal(expected.count, recordCount);
      assert.equal(expected.distinct, recordCount);
      assert.equal(Object.keys(expected.ledger).length, 4);
    });
    after(async () => {
      await kafka.stop();
    });

    const source = (): Readonly<Record<string, unknown>> => ({
      kafka: { brokers: [kafka.bootstrap], topics: [topic] },
    });

    test('--once learns each record exactly once, as an independent reader counts them; a second run finds nothing new', async () => {
      const pipeline = fleetPipeline(dir, 'once', source());
      const summary = await runOnce(pipeline);
      assert.deepEqual(summary.records, allTrained);
      assert.deepEqual(summary.positions, expected.ends);
      const newest = await inspectNewest(pipeline);
      assert.deepEqual(newest.ledger, expected.ledger);
      assert.deepEqual(newest.records, summary.records);
      assert.deepEqual(newest.positions, summary.positions);
      assert.deepEqual(await committedOffsets(kafka, pipeline.name, topic), expected.ends);

      const again = await runOnce(pipeline);
      assert.deepEqual(again.records, allTrained);
      assert.equal(again.recordsPerSecond, 0);
      assert.equal(again.weightsDigest, summary.weightsDigest);
    });

    test('as a service: metrics, summary and checkpoint agree, and offsets are committed up to the checkpoint', async () => {
      const pipeline = fleetPipeline(dir, 'service', source());
      const command = startCommand(['run', pipeline.file, '--json']);
      const url = await pageOf(command);
      await until(
        async () => (await metricOf(url, 'millrace_lifetime_records'))['{outcome="trained"}'] === recordCount,
        'everything is learned',
      );
      assert.equal((await fetch(`${url}/v2/health/ready`)).status, 200);
      assert.deepEqual(await metricOf(url, 'millrace_records_read_total'), { '': recordCount });
      assert.deepEqual(await metricOf(url, 'millrace_lifetime_records'), byOutcome(allTrained));
      assert.deepEqual(await metricOf(url, 'millrace_records_total'), {
        '{outcome="trained"}': recordCount,
        '{outcome="rejected"}': 0,
        '{outcome="filtered"}': 0,
        '{outcome="unlabelled"}': 0,
      });
      assert.deepEqual(Object.values(await metricOf(url, 'millrace_lag_records')), [0, 0, 0, 0]);
      assert.deepEqual(await metricOf(url, 'millrace_lag_seconds'), { '': 0 });
      const steps = await metricOf(url, 'millrace_lifetime_steps');
      command.kill('SIGTERM');
      const summary = documentOf(await command.ended) as RunDocument;
      assert.deepEqual(summary.records, allTrained);
      assert.equal(steps['{model="main"}'], summary.steps);
      const newest = await inspectNewest(pipeline);
      assert.deepEqual(newest.records, summary.records);
      assert.equal(newest.step, summary.steps);
      assert.equal(newest.weightsDigest, summary.weightsDigest);
      assert.deepEqual(newest.ledger, expected.ledger);
      assert.deepEqual(newest.positions, expected.ends);
      assert.deepEqual(await committedOffsets(kafka, pipeline.name, topic), expected.ends);
    });

    test('the example learns as its README says', async (t) => {
      const cwd = checkoutDirectory(t);
      const [produce = [], run = [], once = [], inspect = [], ...others] = commandsOf('kafka');
      assert.deepEqual(others, []);
      const here = produce.map((word) => (word === 'localhost:9092' ? kafka.bootstrap : word));
      const env = { KAFKA_BROKERS: kafka.bootstrap, MILLRACE_PORT: '0' };
      const sensors = startCommand(here, { cwd });
      await until(() => existsSync(join(cwd, '.millrace/kafka/readings.avsc')), 'the schema');
      const pipeline = startCommand(run, { cwd, env });
      const url = await pageOf(pipeline);
      await until(
        async () => ((await metricOf(url, 'millrace_lifetime_records'))['{outcome="trained"}'] ?? 0) > 400,
        'some readings are learned',
      );
      for (const command of [pipeline, sensors]) command.kill('SIGINT');
      assert.equal((await pipeline.ended).code, 0);
      assert.equal((await sensors.ended).code, 0);
      const { code, stdout } = await runCommand(once, { cwd, env });
      assert.equal(code, 0);
      const expected = await judgeTopic(kafka, 'readings');
      const total = String(expected.count);
      assert.match(stdout, new RegExp(`^${total} records: ${total} trained, 0 rejected`));
      const { checkpoints } = (await runForDocument([...inspect, '--json'], { cwd })) as InspectDocument;
      assert.deepEqual(checkpoints[0]?.ledger, expected.ledger);
    });
  });
}

function byOutcome(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).map(([outcome, count]) => [`{outcome="${outcome}"}`, count]));
}
