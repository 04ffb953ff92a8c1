import { stringify } from 'csv-stringify/sync';
import { avroEncoder } from '../src/codecs/avro-encoder.ts';
import type { Config } from '../src/config/config.ts';
import { parseConfig } from '../src/config/load.ts';
import { playReadings, type ReadingSink } from '../src/sensors/play-readings.ts';
import type { Readings } from '../src/sensors/readings.ts';
import { simulate } from '../src/sensors/simulate.ts';
import type { StageInput } from './stages.ts';

/** Different readings; longer inputs repeat them. A multiple of the records in a block. */
export function distinctReadings({ isShort }: StageInput): number {
  return isShort ? 4096 : 32_768;
}

/** Partitions of a topic. */
export const partitions = 4;
/** Topics by length. */
export const topics = { long: 'bench.long', endless: 'bench.endless' } as const;

/** Records that each topic holds. */
export function topicRecords({ isShort }: StageInput): Readonly<Record<keyof typeof topics, number>> {
  return isShort ? { long: 50_000, endless: 100_000 } : { long: 2_000_000, endless: 20_000_000 };
}

/** A topic with so many partitions. */
export function spreadTopic(partitionCount: number): string {
  return `bench.spread.${partitionCount}`;
}

const fleet = simulate({ sensors: 100, seed: 1, topic: 'bench.reading' });
/** Avro schema of the readings: 10 fields. */
export const schemaText = JSON.stringify(fleet.schema);
const columns = fleet.schema.fields.map(({ name }) => name);

type Format = 'avro' | 'json' | 'csv';

/** How one reading is written, by format. */
const encoders: Readonly<Record<Format, (value: ReturnType<Readings['value']>) => Buffer>> = {
  avro: avroEncoder(schemaText, 1),
  json: (value) => Buffer.from(JSON.stringify(value)),
  csv: (value) => Buffer.from(stringify([columns.map((name) => value[name])], { eof: false })),
};

/** The values of the different readings, in one format. */
export function encodedReadings(format: Format, input: StageInput): readonly Buffer[] {
  return Array.from({ length: distinctReadings(input) }, (_, n) => encoders[format](fleet.value(n)));
}

/** Gives a topic `count` Avro readings of the fleet, and closes it. */
export async function fillTopic(sink: ReadingSink, count: number, input: StageInput): Promise<void> {
  const values = encodedReadings('avro', input);
  const keys = Array.from(values, (_, n) => fleet.key(n));
  const places = Array.from(values, (_, n) => ({ n }));
  const readings: Readings = {
    ...fleet,
    key: (n) => keys[n % keys.length]!,
    value: (n) => places[n % places.length]!,
  };
  const encode = ({ n }: ReturnType<Readings['value']>): Buffer => values[Number(n)]!;
  const { signal } = new AbortController();
  await playReadings(readings, sink, encode, { count, ratePerSecond: null, signal });
  await sink.close();
}

/** The source of the job by its name in a configuration. */
export function sourceOf(
  kind: 'log' | 'kafka',
  topic: string,
  { logDir, bootstrap }: StageInput,
): Readonly<Record<string, unknown>> {
  return kind === 'log' ? { log: { dir: logDir, topic } } : { kafka: { brokers: [bootstrap], topics: [topic] } };
}

/** So many features: five plain ones, and the power so many rows before. */
export function lagFeatures(count: number): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const plain = ['temperature', 'humidity', 'pressure', 'vibration', 'load'];
  const lags = Array.from({ length: count - plain.length }, (_, n) => n + 1);
  return {
    ...Object.fromEntries(plain.map((name) => [name, {}])),
    ...Object.fromEntries(lags.map((rows) => [`power${rows}Before`, { field: 'power', as: 'lag', rows }])),
  };
}

/**
 * The job that all stages are parts of: 8 of the 10 fields are wanted, for 8 features (5 plain, 3 lags by sensor), and
 * an 8-64-64-1 net learns the target by Adam.
 */
export function jobConfig(
  input: StageInput,
  source = sourceOf('log', topics.long, input),
  format: Format = 'avro',
  more: Readonly<Record<string, unknown>> = {},
): Config {
  const decode = { avro: { avro: { schemaFile: input.schemaFile } }, json: 'json', csv: { csv: { columns } } }[format];
  const job = {
    name: 'bench',
    source,
    decode,
    key: 'sensorId',
    time: 'measuredAt',
    features: lagFeatures(8),
    target: 'power',
    models: { main: { mlp: { hidden: [64, 64] } } },
    training: { optimizer: 'adam' },
    ...more,
  };
  // YAML holds JSON.
  return parseConfig(JSON.stringify(job), 'the configuration of the bench', {}).config;
}
