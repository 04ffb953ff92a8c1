import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { avroEncoder } from '../../src/codecs/avro-encoder.ts';
import { predictionSchema } from '../../src/codecs/prediction-codec.ts';
import { simulate } from '../../src/sensors/simulate.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import type { OutgoingRecord } from '../../src/sources/kafka/outgoing-records.ts';
import {
  documentOf,
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
  schemaFileIn,
  type FleetPipeline,
} from '../support/kafka/kafka-fleet.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { startRegistry, type RegistryServer } from '../support/registry.ts';
import { modelFile, type LayerJson } from '../support/model-files.ts';
import { missing } from '../support/requirements.ts';

/** What `kafka_predictions.py` prints. */
interface PredictionsDocument {
  readonly schemas: readonly unknown[];
  readonly asked: number;
  readonly predictions: readonly PredictionDocument[];
  readonly repeated: number;
  readonly missing: readonly (readonly [number, number])[];
  readonly strangers: number;
}

interface PredictionDocument {
  readonly key: string | null;
  readonly prediction: number;
  readonly modelVersion: string;
  readonly partition: number;
  readonly offset: number;
  readonly eventTime: number;
}

const produced = 20_000;
const asked = 300;
/** For 50 s: a killed member of a group holds the next one up for 10 s. */
const learned = 'readings';

const skip = missing('kafka-4.3.1', 'apicurio-2.6.13.Final', 'python-packages') ?? false;
describe('predictions to a topic', { skip }, () => {
  const dir = temporaryDirectory({ after });
  let kafka: KafkaServer;
  let registry: RegistryServer;
  const running = new Set<RunningCommand>();

  before(async () => {
    kafka = await startKafka();
    registry = await startRegistry();
    const target = ['--brokers', kafka.bootstrap, '--topic', learned, '--partitions', '4', '--registry', registry.url];
    const count = ['--simulate', '40', '--seed', '5', '--count', String(produced)];
    await runForDocument(['produce', ...target, ...count, '--json']);
  });
  after(async () => {
    for (const command of running) command.kill('SIGKILL');
    await registry.stop();
    await kafka.stop();
  });

  function pipeline(name: string, over: Readonly<Record<string, unknown>>): FleetPipeline {
    const source = { kafka: { brokers: [kafka.bootstrap], topics: [learned] } };
    return fleetPipeline(dir, name, source, { decode: { avro: { registry: { url: registry.url } } }, ...over });
  }

  function start({ file }: FleetPipeline): RunningCommand {
    const command = startCommand(['run', file, '--json']);
    running.add(command);
    return command;
  }

  async function stopped(command: RunningCommand): Promise<void> {
    command.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
    running.delete(command);
  }

  async function write(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic, partitions: 3, connectTimeoutMs: 30_000 });
    await writer.send(records);
    await writer.close();
  }

  const judged = (from: string, to: string, schemas = registry.url): Promise<PredictionsDocument> =>
    runPythonWithPackages('kafka_predictions.py', [kafka.bootstrap, from, to, schemas]) as Promise<PredictionsDocument>;

  const predictedOf = async (url: string): Promise<number> =>
    (await metricOf(url, 'millrace_predictions_total'))['{route="topic"}'] ?? 0;

  async function untilLearned(url: string): Promise<void> {
    await until(async () => {
      const { '{outcome="trained"}': trained = 0 } = await metricOf(url, 'millrace_lifetime_records');
      const response = await fetch(`${url}/v1/predict`, { method: 'POST', ...json({ sensorId: 'new' }) });
      const { trainedThrough } = (await response.json()) as { trainedThrough?: { positions: Record<string, number> } };
      const read = Object.values(trainedThrough?.positions ?? {}).reduce((sum, offset) => sum + offset, 0);
      return trained === produced && read === produced;
    }, 'all is learned and the last version is served');
  }

  test('each record of another topic, without labels, is predicted as POST /v1/predict predicts it; one that cannot be decoded is a dead letter', async () => {
    const service = pipeline('another', {
      predict: { from: 'asked', to: 'answers' },
      deadLetter: { topic: 'letters' },
    });
    const command = start(service);
    const url = await pageOf(command);
    await untilLearned(url);
    assert.deepEqual(await metricOf(url, 'millrace_predictions_joined'), { '': 0 });
    const readings = Array.from({ length: asked }, (_, n) => reading(n));
    const id = await register(registry, 'asked-value', JSON.stringify(unlabelledSchema));
    const encode = avroEncoder(JSON.stringify(unlabelledSchema), id);
    const records = readings.map((each, n) => ({ ...plain, key: keyOf(n), value: encode(each) }));
    records.splice(100, 0, { ...plain, key: Buffer.from('bad'), value: Buffer.from('no frame') });
    await write('asked', records);
    await until(async () => (await predictedOf(url)) === asked, 'all are predicted');
    await until(
      async () => Object.values(await metricOf(url, 'millrace_prediction_lag_records')).every((lag) => lag === 0),
      'nothing is left',
    );
    assert.deepEqual(await metricOf(url, 'millrace_predictions_joined'), { '': 1 });

    const found = await judged('asked', 'answers');
    assert.deepEqual(
      [found.asked, found.predictions.length, found.repeated, found.strangers],
      [asked + 1, asked, 0, 0],
    );
    assert.deepEqual(found.schemas, [JSON.parse(predictionSchema('regression'))]);
    assert.equal(found.missing.length, 1);
    const response = await fetch(`${url}/v1/predict`, { method: 'POST', ...json(readings) });
    const answer = (await response.json()) as { modelVersion: string; predictions: readonly { value: number }[] };
    const expected = new Map(answer.predictions.map(({ value }, n) => [keyOf(n).toString('hex'), { value, n }]));
    for (const { key, prediction, modelVersion, eventTime } of found.predictions) {
      const { value = NaN, n = -1 } = expected.get(key ?? '') ?? {};
      assert.deepEqual([prediction, modelVersion, eventTime], [value, answer.modelVersion, reading(n)['measuredAt']]);
    }
    const reasons = await metricOf(url, 'millrace_prediction_dead_letters_total');
    assert.equal(reasons['{reason="frame.magic"}'], 1);
    const ends = await committedOffsets(kafka, 'another-predict', 'asked');
    assert.equal(
      Object.values(ends).reduce((sum, offset) => sum + offset, 0),
      asked + 1,
    );
    const letters = await runPythonWithPackages('kafka_keys.py', [kafka.bootstrap, 'letters']);
    assert.deepEqual(letters, [Buffer.from('bad').toString('hex')]);
    await stopped(command);
  });

  test('the topic that is learned is predicted as well; killed again and again while it flows, each record is predicted once', async () => {
    const target = [
      '--brokers',
      kafka.bootstrap,
      '--topic',
      'flowing',
      '--partitions',
      '4',
      '--registry',
      registry.url,
    ];
    const sensors = startCommand(['produce', ...target, '--simulate', '40', '--rate', '800', '--json']);
    running.add(sensors);
    const source = { kafka: { brokers: [kafka.bootstrap], topics: ['flowing'] } };
    const service = pipeline('killed', { source, predict: { from: 'flowing', to: 'often' } });
    for (let kills = 0; kills < 3; kills += 1) {
      const command = start(service);
      const url = await pageOf(command);
      await until(async () => (await predictedOf(url)) > 0, 'some are predicted');
      command.kill('SIGKILL');
      await command.ended;
      running.delete(command);
    }
    const command = start(service);
    const url = await pageOf(command);
    const promoted = async (): Promise<number> =>
      (await metricOf(url, 'millrace_promotion_decisions_total'))['{action="promoted"}'] ?? 0;
    await until(async () => (await promoted()) > 3, 'newer versions have come');
    sensors.kill('SIGTERM');
    const { records: flowing } = documentOf(await sensors.ended) as { readonly records: number };
    running.delete(sensors);
    await until(async () => {
      // Each look is work for the process that is looked at.
      await delay(250);
      const lags = Object.values(await metricOf(url, 'millrace_prediction_lag_records'));
      const { '{outcome="read"}': read } = await metricOf(url, 'millrace_lifetime_records');
      return read === flowing && lags.length === 4 && lags.every((lag) => lag === 0);
    }, 'all is learned and predicted');
    await stopped(command);
    const { predictions, repeated, missing: lost, strangers } = await judged('flowing', 'often');
    assert.deepEqual([predictions.length, repeated, lost, strangers], [flowing, 0, [], 0]);
    assert.ok(new Set(predictions.map(({ modelVersion }) => modelVersion)).size > 3);
  });

  test('without a registry the schema is a file in the state directory', async () => {
    await runForDocument(produceFleet(dir, ['--brokers', kafka.bootstrap, '--topic', 'framed'], 500));
    const source = { kafka: { brokers: [kafka.bootstrap], topics: ['framed'] } };
    const service = fleetPipeline(dir, 'file', source, {
      decode: { avro: { schemaFile: schemaFileIn(dir) } },
      predict: { from: 'framed', to: 'unregistered' },
    });
    const command = start(service);
    const url = await pageOf(command);
    await until(async () => (await predictedOf(url)) === 500, 'all are predicted');
    const file = join(service.state, 'unregistered-value.avsc');
    assert.equal(readFileSync(file, 'utf8').trim(), predictionSchema('regression'));
    const { predictions, repeated, missing: lost } = await judged('framed', 'unregistered', file);
    assert.deepEqual([predictions.length, repeated, lost], [500, 0, []]);
    await stopped(command);
  });

  test('a model from a file predicts a topic as it predicts what is posted', async () => {
    const layers: readonly LayerJson[] = [
      ['Dense', { units: 8, activation: 'relu', batch_input_shape: [null, 9] }],
      ['Dense', { units: 1 }],
    ];
    const service = pipeline('layers', {
      models: { main: { layers: { file: modelFile(join(dir, 'model'), layers) } } },
      predict: { from: 'unlabelled', to: 'fromLayers' },
    });
    const command = start(service);
    const url = await pageOf(command);
    await untilLearned(url);
    const readings = Array.from({ length: asked }, (_, n) => reading(n));
    const id = await register(registry, 'unlabelled-value', JSON.stringify(unlabelledSchema));
    const encode = avroEncoder(JSON.stringify(unlabelledSchema), id);
    await write(
      'unlabelled',
      readings.map((each, n) => ({ ...plain, key: keyOf(n), value: encode(each) })),
    );
    await until(async () => (await predictedOf(url)) === asked, 'all are predicted');
    const { predictions, repeated } = await judged('unlabelled', 'fromLayers');
    assert.deepEqual([predictions.length, repeated], [asked, 0]);
    const response = await fetch(`${url}/v1/predict`, { method: 'POST', ...json(readings) });
    const answer = (await response.json()) as { modelVersion: string; predictions: readonly { value: number }[] };
    const expected = new Map(answer.predictions.map(({ value }, n) => [keyOf(n).toString('hex'), value]));
    for (const { key, prediction, modelVersion } of predictions) {
      assert.equal(modelVersion, answer.modelVersion);
      assert.ok(Math.abs(prediction - expected.get(key ?? '')!) < 1e-4, `${prediction} and ${expected.get(key ?? '')}`);
    }
    await stopped(command);
  });
});

const plain = { headers: [], timestampMs: Date.UTC(2026, 0, 1) };

const fleet = simulate({ sensors: 40, seed: 5, topic: learned });

/** The schema of the fleet without what is to be predicted. */
const unlabelledSchema = { ...fleet.schema, fields: fleet.schema.fields.filter(({ name }) => name !== 'power') };

function reading(n: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fleet.value(produced + n)).filter(([name]) => name !== 'power'));
}

/** Bytes that are no text. */
function keyOf(n: number): Buffer {
  return Buffer.of(0xff, 0, n >> 8, n & 0xff);
}

function json(body: unknown): { readonly headers: Record<string, string>; readonly body: string } {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
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
