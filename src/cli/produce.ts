import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { avroEncoder } from '../codecs/avro-encoder.ts';
import { schemaFileText } from '../codecs/schema-file.ts';
import { ConfigError, messageOf } from '../errors.ts';
import { playReadings, type EncodeReading, type ReadingSink } from '../sensors/play-readings.ts';
import type { Readings } from '../sensors/readings.ts';
import { replay } from '../sensors/replay.ts';
import { simulate } from '../sensors/simulate.ts';
import { schemaRegistry } from '../service/avro-input.ts';
import { readCsvTable } from '../sources/csv/csv-table.ts';
import { codecs, type Codec } from '../sources/record-batch/compression.ts';
import { positiveInteger } from './command-options.ts';
import { commandLogger } from './command-logger.ts';
import { printJson, printLine } from './command-output.ts';
import { produceTarget, type ProduceTarget, type SchemaFile, type TargetOptions } from './produce-target.ts';
import { progressLine } from './progress-line.ts';
import { kafkaSink, logSink } from './reading-sinks.ts';

interface ProduceOptions extends TargetOptions {
  readonly csv?: string;
  readonly simulate?: number;
  readonly count?: number;
  readonly rate?: number;
  readonly seed: number;
  readonly partitions?: number;
  readonly compression: Codec;
  readonly json?: true;
}

/** Sensors of a fleet where nobody says how many. */
const defaultSensors = 10;
/** For how long a registry that is away is asked again. */
const registryPatienceMs = 30_000;

/** `millrace produce` */
export function defineProduce(command: Command): void {
  command
    .addOption(
      new Option(
        '--config <file>',
        'write what this pipeline reads: its source with TLS and SASL, its Avro schema or registry, its key and time',
      ).conflicts(['brokers', 'log', 'registry', 'schema']),
    )
    .addOption(new Option('--brokers <host:port>', 'Kafka brokers, separated by commas').conflicts('log'))
    .option('--log <dir>', 'directory of an embedded log')
    .option('--topic <name>', 'topic to write to; it is made where it is missing (default: that of --config)')
    .addOption(new Option('--csv <file>', 'replay a file or glob in order of event time').conflicts('simulate'))
    .option(
      '--simulate <sensors>',
      `simulate a fleet of that many sensors (default: ${defaultSensors})`,
      positiveInteger,
    )
    .option(
      '--count <n>',
      'stop when the topic has been given n records, those of earlier runs among them',
      positiveInteger,
    )
    .option('--rate <n>', 'records per second (default: as fast as possible)', positiveNumber)
    .option('--seed <n>', 'seed of the simulation', seedNumber, 1)
    .option('--partitions <n>', 'partitions of a topic that is made (default: 1)', positiveInteger)
    .option('--key <field>', 'field to key records by (default: sensorId of a simulation, none of a CSV file)')
    .option('--time <field>', 'field with the event time (default: the first column of times)')
    .addOption(new Option('--registry <url>', 'register the schema as TOPIC-value').conflicts('schema'))
    .option('--schema <file>', 'schema to write with; made from the readings where the file is missing')
    .addOption(new Option('--compression <codec>', 'compression of record batches').choices(codecs).default('none'))
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nA run goes on where the topic ends, so that runs that were stopped or killed add up to one that was not. A cluster with TLS or' +
        '\nSASL is described in a configuration, as for reading; secrets have no place on a command line.' +
        '\n\nExample:\n  millrace produce --log ./log --topic readings --simulate 20 --rate 200' +
        '\n  millrace produce --config turbine.yaml --simulate 20 --rate 200',
    )
    .action((options: ProduceOptions) => produce(options));
}

async function produce(options: ProduceOptions): Promise<void> {
  const startedMs = performance.now();
  const abort = new AbortController();
  const stop = (): void => {
    abort.abort();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const target = produceTarget(options);
    const readings = await readingsOf(options, target);
    const schema = await schemaOf(target, readings, abort.signal);
    const sink = await sinkOf(options, target);
    const sent = await play(readings, sink, schema.encode, options, abort.signal);
    report(options, {
      topic: target.topic,
      records: sent.sent,
      total: sent.total,
      partitions: sink.partitions,
      schemaFile: schema.file,
      schemaId: schema.id,
      key: readings.keyField,
      time: readings.timeField,
      target: readings.targetField,
      seconds: (performance.now() - startedMs) / 1000,
    });
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function readingsOf(options: ProduceOptions, { topic, key, time }: ProduceTarget): Promise<Readings> {
  const fields = { topic, keyField: key, timeField: time };
  if (options.csv !== undefined) return replay(await readCsvTable(options.csv, '--csv'), fields);
  return simulate({ ...fields, sensors: options.simulate ?? defaultSensors, seed: options.seed });
}

interface WriterSchema {
  readonly id: number;
  /** Null where a registry has it. */
  readonly file: string | null;
  readonly encode: EncodeReading;
}

async function schemaOf(
  { topic, schema }: ProduceTarget,
  readings: Readings,
  signal: AbortSignal,
): Promise<WriterSchema> {
  if ('file' in schema) return schemaInFile(schema, readings);
  const text = JSON.stringify(readings.schema);
  const logger = await commandLogger();
  const registry = schemaRegistry(schema, registryPatienceMs, {
    emit: (event) => {
      if (event.type === 'registryRetried') logger.warn(event.message);
    },
  });
  const id = await registry.register(`${topic}-value`, text, signal);
  return { id, file: null, encode: avroEncoder(text, id) };
}

function schemaInFile({ file, id }: SchemaFile, readings: Readings): WriterSchema {
  if (!existsSync(file)) writeWhole(file, `${JSON.stringify(readings.schema, null, 2)}\n`);
  const encode = avroEncoder(schemaFileText(file), id);
  return { id, file, encode: (value) => fitting(encode, value, file) };
}

/** A reader beside us never sees half a schema. */
function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, text, { flush: true });
  renameSync(unfinished, file);
}

function fitting(encode: EncodeReading, value: Parameters<EncodeReading>[0], file: string): Buffer {
  try {
    return encode(value);
  } catch (error) {
    throw new ConfigError(
      'config.incompatible',
      `${file}: a reading does not fit this schema (${messageOf(error)}); name another --schema FILE, or remove it to have it made anew`,
      { cause: error, context: { key: '--schema', file } },
    );
  }
}

function sinkOf({ partitions, compression }: ProduceOptions, { topic, place }: ProduceTarget): Promise<ReadingSink> {
  if (typeof place === 'string') return logSink({ dir: place, topic, partitions, compression });
  return kafkaSink({ ...place, topic, partitions, compression });
}

async function play(
  readings: Readings,
  sink: ReadingSink,
  encode: EncodeReading,
  options: ProduceOptions,
  signal: AbortSignal,
): Promise<{ sent: number; total: number }> {
  const line = progressLine('records');
  const total = Math.min(options.count ?? Infinity, readings.count);
  try {
    return await playReadings(readings, sink, encode, {
      count: options.count,
      ratePerSecond: options.rate ?? null,
      signal,
      onProgress: (_, played) => {
        line.update(played, total);
      },
    });
  } finally {
    line.end();
    await sink.close();
  }
}

interface ProduceReport {
  readonly topic: string;
  /** Sent by this run, and by all runs. */
  readonly records: number;
  readonly total: number;
  readonly partitions: number;
  readonly schemaFile: string | null;
  readonly schemaId: number;
  readonly key: string | null;
  readonly time: string | null;
  readonly target: string | null;
  readonly seconds: number;
}

function report(options: ProduceOptions, document: ProduceReport): void {
  if (options.json) {
    printJson(document);
    return;
  }
  const { topic, records, total, partitions, schemaFile, schemaId, seconds } = document;
  const before = total > records ? `; ${total} with those of earlier runs` : '';
  printLine(`${records} records sent to ${topic} in ${seconds.toFixed(1)} s, ${partitions} partition(s)${before}`);
  printLine(`schema ${schemaId}: ${schemaFile ?? `${topic}-value in the registry`}`);
}

function seedNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected a whole number of 0 or more.');
  return value;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}
