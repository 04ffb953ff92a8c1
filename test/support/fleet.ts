import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogWriter } from '../../src/sources/log/log-writer.ts';
import { runForDocument, temporaryDirectory, type Cleanup, type CommandOptions } from './command.ts';

export const fleetTopic = 'readings';
/** A sensor speaks every 10 s of event time, so a label comes two of its readings later. */
export const horizonMs = 20_000;
/** Odd, so that a run of records seldom ends with a batch. */
export const batchRows = 17;
export const stepsPerCheckpoint = 10;

/** A simulated fleet in a log of one partition, to be learned with all that has state in play. */
export interface Fleet {
  readonly dir: string;
  readonly log: string;
  /** Arguments that make `produce` bring the log to `count` records. */
  produce(count: number): string[];
  /** A configuration with a state directory of its own, `over` put over the usual keys. */
  pipeline(name: string, over?: Readonly<Record<string, unknown>>): Pipeline;
}

export interface Pipeline {
  /** The configuration file. */
  readonly file: string;
  readonly state: string;
  readonly deadLetters: string;
}

/** A fleet in a directory that goes with the test. */
export function makeFleet(t: Cleanup): Fleet {
  const dir = temporaryDirectory(t);
  const log = join(dir, 'log');
  return {
    dir,
    log,
    produce: (count) => {
      const where = ['--log', log, '--topic', fleetTopic];
      return ['produce', ...where, '--simulate', '10', '--seed', '5', '--count', String(count), '--json'];
    },
    pipeline: (name, over = {}) => {
      const state = join(dir, name);
      const file = join(dir, `${name}.yaml`);
      // JSON is YAML too.
      writeFileSync(file, JSON.stringify({ ...settings(log, state), ...over }));
      return { file, state, deadLetters: join(state, 'dead-letters.jsonl') };
    },
  };
}

/** Plain numbers, a one-hot and a lag. */
export const fleetFeatures = {
  temperature: {},
  load: {},
  vibration: {},
  site: { as: 'oneHot', max: 4 },
  powerBefore: { field: 'power', as: 'lag', rows: 1 },
} as const;

/** An MLP with Adam, a lag, a one-hot and a horizon; batches sealed by count alone. */
function settings(log: string, state: string): Readonly<Record<string, unknown>> {
  return {
    name: 'fleet',
    source: { log: { dir: log, topic: fleetTopic } },
    decode: { avro: { schemaFile: join(log, `${fleetTopic}.avsc`) } },
    key: 'sensorId',
    time: 'measuredAt',
    features: fleetFeatures,
    target: { field: 'power', horizon: `${horizonMs}ms` },
    batch: { rows: batchRows },
    models: { main: { mlp: { hidden: [32, 32] } } },
    training: { optimizer: 'adam' },
    checkpoint: { dir: state, every: `${stepsPerCheckpoint} steps` },
    http: { port: 0 },
    seed: 7,
  };
}

/** Values that no reading has, one of each kind in turn. */
const bad = [null, Buffer.alloc(0), Buffer.from([0, 0, 0]), Buffer.from('not avro'), Buffer.from([0, 0, 0, 0, 9, 1])];

/** Appends `count` records that cannot be used. */
export async function poison({ log }: Fleet, count: number): Promise<void> {
  const writer = await LogWriter.open({ dir: log, topic: fleetTopic, partition: 0 });
  const key = Buffer.from('sensor-0003');
  const records = Array.from({ length: count }, (_, n) => ({
    key,
    value: bad[n % bad.length]!,
    timestampMs: 1e12 + n,
  }));
  writer.append(records);
  writer.close();
}

/** Brings the log to `count` records, `poisoned` bad ones in three runs among them. */
export async function produceWithPoison(
  fleet: Fleet,
  count: number,
  poisoned: number,
  command?: CommandOptions,
): Promise<void> {
  for (let part = 1; part <= 3; part++) {
    await runForDocument(fleet.produce(Math.floor((count * part) / 4)), command);
    await poison(fleet, poisoned / 3);
  }
  await runForDocument(fleet.produce(count), command);
}
