import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import { loadConfig } from '../../src/config/load.ts';
import { featurePlan } from '../../src/service/feature-plan.ts';
import { scoreTopic } from '../../src/service/scoring/score-topic.ts';
import type { LivePredictor } from '../../src/service/versions/live-predictor.ts';
import { simulate } from '../../src/sensors/simulate.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import { kafkajs } from '../../src/sources/kafka/kafkajs.ts';
import type { TelemetryEvent } from '../../src/telemetry.ts';
import {
  runForDocument,
  runPythonWithPackages,
  startCommand,
  temporaryDirectory,
  until,
  type RunningCommand,
} from '../support/command.ts';
import {
  committedOffsets,
  fleetPipeline,
  metricOf,
  pageOf,
  produceFleet,
  withAdmin,
  type FleetPipeline,
} from '../support/kafka/kafka-fleet.ts';
import {
  kafkaUser,
  kafkaVersions,
  startKafka,
  type KafkaServer,
  type KafkaVersion,
} from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

/** What `kafka_predictions.py` prints, as far as it is looked at here. */
interface PredictionsDocument {
  readonly asked: number;
  readonly predictions: readonly PredictionDocument[];
  readonly repeated: number;
  readonly missing: readonly (readonly [number, number])[];
}

interface PredictionDocument {
  readonly key: string | null;
  readonly prediction: number | string;
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly modelVersion: string;
}

interface Answer {
  readonly modelVersion: string;
  readonly predictions: readonly {
    readonly value: number | string;
    readonly probabilities?: Readonly<Record<string, number>>;
  }[];
}

const learned = 4000;
const asked = 200;

function suiteOn(version: KafkaVersion): void {
  const skip = missing(`kafka-${version}`, 'python-packages') ?? false;
  describe(`predictions to a topic in trouble, Kafka ${version}`, { skip }, () => {
    const dir = temporaryDirectory({ after });
    let kafka: KafkaServer;
    const running = new Set<RunningCommand>();

    before(async () => {
      // Plain connections may all; those of the user over TLS may what they are allowed.
      const config = {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      };
      kafka = await startKafka({ version, tls: true, config });
      await runForDocument(produceFleet(dir, produceTo('readings'), learned));
    });
    after(async () => {
      for (const command of running) command.kill('SIGKILL');
      await kafka.stop();
    });

    function produceTo(topic: string): string[] {
      return ['--brokers', kafka.bootstrap, '--topic', topic, '--partitions', '4'];
    }

    function pipeline(name: string, topic: string, over: Readonly<Record<string, unknown>>): FleetPipeline {
      return fleetPipeline(dir, name, { kafka: { brokers: [kafka.bootstrap], topics: [topic] } }, over);
    }

    function start(args: readonly string[]): RunningCommand {
      const command = startCommand(args);
      running.add(command);
      return command;
    }

    async function stopped(command: RunningCommand): Promise<void> {
      command.kill('SIGTERM');
      assert.equal((await command.ended).code, 0);
      running.delete(command);
    }

    /** A sender that gave up in a long restart has done its work. */
    async function silenced(sensors: RunningCommand): Promise<void> {
      sensors.kill('SIGTERM');
      await sensors.ended;
      running.delete(sensors);
    }

    const predictedOf = async (url: string): Promise<number> =>
      (await metricOf(url, 'millrace_predictions_total'))['{route="topic"}'] ?? 0;

    async function untilMore(command: RunningCommand, url: string): Promise<void> {
      const before = await predictedOf(url);
      await until(async () => {
        assert.ok(command.isRunning(), command.stderr());
        return (await predictedOf(url).catch(() => 0)) > before + 500;
      }, 'predictions flow');
    }

    /** Sends until it is stopped. */
    async function startSensors(topic: string): Promise<RunningCommand> {
      const sensors = start(produceFleet(dir, produceTo(topic), 1_000_000, ['--rate', '500']));
      await until(() => withAdmin(kafka, async (admin) => (await admin.listTopics()).includes(topic)), 'the topic');
      return sensors;
    }

    /** Every record of a topic was predicted once, as an independent reader counts them. */
    async function assertEachOnce(from: string, to: string, { state }: FleetPipeline): Promise<void> {
      const schema = join(state, `${to}-value.avsc`);
      const args = [kafka.bootstrap, from, to, schema];
      const found = (await runPythonWithPackages('kafka_predictions.py', args)) as PredictionsDocument;
      assert.deepEqual([found.predictions.length, found.repeated, found.missing], [found.asked, 0, []]);
    }

    async function untilAllPredicted(topic: string, groupId: string): Promise<void> {
      const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
      const expected = Object.fromEntries(
        ends.map(({ partition, offset }) => [`${topic}:${partition}`, Number(offset)]),
      );
      await until(async () => {
        // Each look is work for the broker.
        await delay(250);
        return isDeepStrictEqual(await committedOffsets(kafka, groupId, topic), expected);
      }, 'all is predicted');
    }

    test('a broker that ends or dies while predictions flow, and comes back, costs nothing: each record is predicted once', async () => {
      const topic = 'restarted';
      const sensors = await startSensors(topic);
      const service = pipeline('restarted', topic, { predict: { from: topic, to: 'once' } });
      const command = start(['run', service.file, '--json']);
      const url = await pageOf(command);
      await untilMore(command, url);
      await kafka.restart();
      await untilMore(command, url);
      await kafka.kill();
      await kafka.restart();
      await untilMore(command, url);
      await silenced(sensors);
      await untilAllPredicted(topic, 'restarted-predict');
      const interruptions = await metricOf(url, 'millrace_prediction_interruptions_total');
      assert.ok((interruptions[''] ?? 0) > 0, 'and it was said');
      await stopped(command);
      await assertEachOnce(topic, 'once', service);
    });

    test('a second process with the same transactional id ends the first, which says so; each record is predicted once', async () => {
      const topic = 'fenced';
      const sensors = await startSensors(topic);
      const over = { name: 'fenced', predict: { from: topic, to: 'fought' } };
      const [first, second] = [pipeline('first', topic, over), pipeline('second', topic, over)];
      const old = start(['run', first.file]);
      const oldUrl = await pageOf(old);
      await untilMore(old, oldUrl);
      const successor = start(['run', second.file, '--json']);
      const url = await pageOf(successor);
      const { code, stderr } = await old.ended;
      running.delete(old);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /Another pipeline writes as fenced-predict now: stop one of them.*source\.kafka\.groupId/);
      await untilMore(successor, url);
      await silenced(sensors);
      await untilAllPredicted(topic, 'fenced-predict');
      await stopped(successor);
      await assertEachOnce(topic, 'fought', second);
    });

    test('without the right to write as the transactional id the process ends, and says which right that is', async () => {
      const passwordFile = join(dir, 'password');
      writeFileSync(passwordFile, kafkaUser.password);
      const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;
      await withAdmin(kafka, (admin) =>
        admin.createAcls({
          acl: [AclResourceTypes.TOPIC, AclResourceTypes.GROUP].map((resourceType) => ({
            resourceType,
            resourceName: '*',
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: `User:${kafkaUser.username}`,
            host: '*',
            operation: AclOperationTypes.ALL,
            permissionType: AclPermissionTypes.ALLOW,
          })),
        }),
      );
      const sasl = { mechanism: 'scram-sha-512', username: kafkaUser.username, passwordFile };
      const kafkaOf = { brokers: [kafka.bootstrapTls], tls: { caFile: kafka.caFile }, sasl, topics: ['readings'] };
      const over = { predict: { from: 'readings', to: 'refused' } };
      const { file } = fleetPipeline(dir, 'refused', { kafka: kafkaOf }, over);
      const { code, stderr } = await start(['run', file]).ended;
      assert.equal(code, 1, stderr);
      assert.match(stderr, /Allow Write and Describe on the transactional id refused-predict/);

      // Also where learning has stopped before: the checkpoint that is saved then makes the first version to predict by.
      await runForDocument(produceFleet(dir, ['--brokers', kafka.bootstrap, '--topic', 'spoiled'], 500));
      const spoiled = { kafka: { ...kafkaOf, topics: ['spoiled'] } };
      const halted = fleetPipeline(dir, 'halted', spoiled, {
        ...over,
        checkpoint: { dir: join(dir, 'halted'), every: '1h' },
      });
      const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic: 'spoiled', connectTimeoutMs: 10_000 });
      const rubbish = Array.from({ length: 1000 }, () => ({
        key: null,
        value: Buffer.from('?'),
        headers: [],
        timestampMs: 1,
      }));
      const command = start(['run', halted.file]);
      await until(async () => {
        await writer.send(rubbish);
        return !command.isRunning();
      }, 'the end');
      await writer.close();
      const end = await command.ended;
      assert.equal(end.code, 1, end.stderr);
      assert.match(end.stderr, /reading has stopped.*on the transactional id halted-predict/s);
    });

    test('a mistake in the program is not tried again', async () => {
      const { file, state } = pipeline('mistaken', 'readings', { predict: { from: 'readings', to: 'never' } });
      mkdirSync(state);
      const { config } = loadConfig(file);
      const plan = await featurePlan(config, () => Promise.resolve([]));
      const mistake = new TypeError('a mistake');
      const predictor = {
        version: { classes: null },
        hasVersion: Promise.resolve(),
        fields: [],
        lackedBy: () => {
          throw mistake;
        },
      } as unknown as LivePredictor;
      const events: TelemetryEvent[] = [];
      const telemetry = { emit: (event: TelemetryEvent) => void events.push(event) };
      const scoring = scoreTopic({ config, plan, predictor, telemetry });
      assert.ok(scoring !== null);
      await assert.rejects(scoring.failed, mistake);
      await scoring.close();
      const said = events.filter(({ type }) => type === 'predictionsInterrupted');
      assert.deepEqual(said, [
        { type: 'predictionsInterrupted', message: 'predictions to never have stopped: a mistake' },
      ]);
    });

    const targets: Readonly<Record<string, { readonly over: Readonly<Record<string, unknown>>; readonly to: string }>> =
      {
        'classes, with the probability of each': {
          over: {
            target: { field: 'site', task: 'classification' },
            features: { temperature: {}, load: {}, vibration: {} },
          },
          to: 'sites',
        },
        'a change, from the value that the record has': {
          over: { target: { field: 'power', horizon: '1m', as: 'change' }, features: { temperature: {}, load: {} } },
          to: 'changes',
        },
      };
    for (const [what, { over, to }] of Object.entries(targets)) {
      test(`${what}: predicted as POST /v1/predict predicts it`, async () => {
        const from = `asked-${to}`;
        const service = pipeline(to, 'readings', { ...over, predict: { from, to } });
        const command = start(['run', service.file, '--json']);
        const url = await pageOf(command);
        const readings = Array.from({ length: asked }, (_, n) => fleet.value(learned + n));
        const post = async (): Promise<Answer & TrainedThrough> => {
          const response = await fetch(`${url}/v1/predict`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(readings),
          });
          return (await response.json()) as Answer & TrainedThrough;
        };
        await until(async () => {
          const { trainedThrough } = await post();
          return Object.values(trainedThrough?.positions ?? {}).reduce((sum, offset) => sum + offset, 0) === learned;
        }, 'the last version is served');
        const writer = kafkaWriter({
          brokers: [kafka.bootstrap],
          topic: from,
          partitions: 3,
          connectTimeoutMs: 30_000,
        });
        const encode = avroEncoder(JSON.stringify(fleet.schema), 1);
        await writer.send(
          readings.map((reading, n) => ({
            ...{ key: Buffer.from(`${n}`), value: encode(reading) },
            ...{ headers: [], timestampMs: Date.UTC(2026, 0, 1) },
          })),
        );
        await writer.close();
        await until(async () => (await predictedOf(url)) === asked, 'all are predicted');
        const args = [kafka.bootstrap, from, to, join(service.state, `${to}-value.avsc`)];
        const found = (await runPythonWithPackages('kafka_predictions.py', args)) as PredictionsDocument;
        const { modelVersion, predictions } = await post();
        assert.deepEqual([found.predictions.length, found.repeated, found.missing], [asked, 0, []]);
        assert.ok(new Set(found.predictions.map(({ prediction }) => prediction)).size > 1, 'not the same for all');
        for (const { key, prediction, probabilities, modelVersion: by } of found.predictions) {
          const answer = predictions[Number(Buffer.from(key ?? '', 'hex').toString())];
          assert.deepEqual([prediction, by], [answer?.value, modelVersion]);
          assert.deepEqual(probabilities, answer?.probabilities);
        }
        await stopped(command);
      });
    }
  });
}

interface TrainedThrough {
  readonly trainedThrough?: { readonly positions: Readonly<Record<string, number>> };
}

const fleet = simulate({ sensors: 40, seed: 5, topic: 'readings' });

for (const version of kafkaVersions) suiteOn(version);
