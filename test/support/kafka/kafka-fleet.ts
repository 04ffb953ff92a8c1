import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkajs, type Admin } from '../../../src/sources/kafka/kafkajs.ts';
import { runForDocument, runPythonWithPackages, type RunningCommand } from '../command.ts';
import type { InspectDocument, LedgerDocument, RunDocument } from '../documents.ts';
import { fleetFeatures } from '../fleet.ts';
import type { KafkaServer } from './start-kafka.ts';

/** What an independent reader finds in a topic: what must be learned of it, and what must not. */
export interface TopicDocument {
  readonly ledger: Readonly<Record<string, LedgerDocument>>;
  /** Records that can be used, and how many different values they have. */
  readonly count: number;
  readonly distinct: number;
  /** Where reading would go on. */
  readonly ends: Readonly<Record<string, number>>;
  /** Partition, offset and reason of records that cannot be used. */
  readonly bad: readonly (readonly [number, number, string])[];
}

/** Reads a topic with librdkafka and computes the ledger in Python. */
export function judgeTopic(kafka: Pick<KafkaServer, 'bootstrap'>, topic: string): Promise<TopicDocument> {
  return runPythonWithPackages('kafka_ledger.py', [kafka.bootstrap, topic]) as Promise<TopicDocument>;
}

/** A pipeline over a simulated fleet: its configuration file and its state directory. */
export interface FleetPipeline {
  readonly name: string;
  readonly file: string;
  readonly state: string;
}

/**
 * Writes a configuration that learns the power of a fleet, `over` put over the usual keys. The consumer group has the
 * pipeline's name, so names differ within a broker.
 */
export function fleetPipeline(
  dir: string,
  name: string,
  source: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>> = {},
): FleetPipeline {
  const file = join(dir, `${name}.yaml`);
  const state = join(dir, name);
  const settings = {
    name,
    source,
    decode: { avro: { schemaFile: schemaFileIn(dir) } },
    key: 'sensorId',
    time: 'measuredAt',
    features: fleetFeatures,
    target: 'power',
    batch: { rows: 256, maxDelay: '200ms' },
    models: { main: 'linear' },
    checkpoint: { dir: state, every: '1s' },
    http: { port: 0 },
    ...over,
  };
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify(settings));
  return { name, file, state };
}

/** Where `produceFleet` puts the schema that it writes with. */
export function schemaFileIn(dir: string): string {
  return join(dir, 'readings.avsc');
}

/** Arguments of `produce` for a fleet of 40 sensors without a registry; `more` comes last. */
export function produceFleet(
  dir: string,
  target: readonly string[],
  count: number,
  more: readonly string[] = [],
): string[] {
  const fleet = ['--simulate', '40', '--seed', '5', '--count', String(count), '--schema', schemaFileIn(dir), '--json'];
  return ['produce', ...target, ...fleet, ...more];
}

export async function inspectNewest({ state }: FleetPipeline): Promise<InspectDocument['checkpoints'][number]> {
  const { checkpoints } = (await runForDocument(['inspect', state, '--json'])) as InspectDocument;
  const [newest] = checkpoints;
  if (newest === undefined) throw new Error(`${state} holds no checkpoint`);
  return newest;
}

export async function runOnce({ file }: FleetPipeline): Promise<RunDocument> {
  return (await runForDocument(['run', file, '--once', '--json'])) as RunDocument;
}

/** Where the page of a starting command is. */
export async function pageOf(command: RunningCommand): Promise<string> {
  const [, url = ''] = await command.says(/live page at (http:\/\/[^ ,]+),/);
  return url;
}

/** Why a pipeline is not ready; empty where it is. */
export async function notReady(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/v2/health/ready`);
  const { ready, reasons = [] } = (await response.json()) as { ready: boolean; reasons?: readonly string[] };
  assert.deepEqual([response.status, ready], reasons.length === 0 ? [200, true] : [503, false]);
  return reasons;
}

/** Values of one metric by its labels as `/metrics` writes them, such as `{outcome="trained"}`; empty without labels. */
export async function metricOf(url: string, name: string): Promise<Readonly<Record<string, number>>> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /^[a-z_]+({.*})? (\S+)$/.exec(line) ?? [];
      return [labels, Number(value)];
    }),
  );
}

/** Offsets that a group has committed, by `topic:partition`. */
export function committedOffsets(kafka: KafkaServer, groupId: string, topic: string): Promise<Record<string, number>> {
  return withAdmin(kafka, async (admin) => {
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const entries = offsets?.partitions.map(
      ({ partition, offset }) => [`${topic}:${partition}`, Number(offset)] as const,
    );
    return Object.fromEntries(entries ?? []);
  });
}

export async function withAdmin<T>(
  { bootstrap }: Pick<KafkaServer, 'bootstrap'>,
  call: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await call(admin);
  } finally {
    await admin.disconnect();
  }
}
