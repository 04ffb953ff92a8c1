import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { stdin, stdout } from 'node:process';
import { Option, type Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { configOf, parseConfig, readDocument } from '../../config/load.ts';
import type { ConfigDocument } from '../../config/schema.ts';
import { ConfigError, messageOf } from '../../errors.ts';
import { printJson, printLine } from '../command-output.ts';
import { initDocument, proposeRoles, type InitInput, type Roles } from './init-document.ts';
import type { InitOptions } from './init-questions.ts';
import { sampledFields } from './sampled-fields.ts';

/** `millrace init` */
export function defineInit(command: Command): void {
  command
    .addOption(
      new Option(
        '--config <file>',
        'take name, source and decode, with TLS, SASL and names of the environment, from a file that may lack the rest',
      ).conflicts(['source', 'file', 'dir', 'brokers', 'topic', 'schema', 'registry']),
    )
    .addOption(new Option('--source <kind>', 'where records come from').choices(['kafka', 'log', 'csv']))
    .option('--file <path>', 'csv: a path or a glob')
    .option('--dir <dir>', 'log: the directory of the embedded log')
    .option('--brokers <host:port,…>', 'kafka: the brokers')
    .option('--topic <topic>', 'kafka and log: the topic')
    .option('--schema <file>', 'values are Avro of this schema; without it and --registry they are JSON')
    .option('--registry <url>', 'values are Avro, with schemas in this registry')
    .option('--target <field>', 'what is predicted (default: the last number)')
    .option('--key <field>', 'what tells sensors apart (default: the first text named like an id)')
    .option('--time <field>', 'when it was measured (default: the first time)')
    .option('--name <name>', 'name of the pipeline (default: that of the topic or file)')
    .option('--out <file>', 'the file to write (default: NAME.yaml)')
    .option('--force', 'write over a file that is there')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nA cluster with TLS or SASL is described in a file as for running, which --config names.' +
        '\n\nExample:\n  millrace init --source csv --file examples/housing/housing.csv --target price' +
        '\n  millrace init --config cluster.yaml --out turbine.yaml',
    )
    .action(init);
}

/** Reads the first records, proposes what to make of them, and writes the configuration. On a terminal it asks what options leave open. */
async function init(options: InitOptions): Promise<void> {
  const isAsking = stdin.isTTY && stdout.isTTY && options.json !== true && !isComplete(options);
  const questions = isAsking ? await import('./init-questions.ts') : null;
  const isFileGiven = options.config !== undefined;
  const known = questions === null || isFileGiven ? options : await questions.askForSource(options);
  const input = isFileGiven ? inputIn(options.config, options.name) : inputOf(known);
  const fields = await sampledFields(sampling(input));
  const { target, key, time } = known;
  const given: Partial<Roles> = {
    ...(target === undefined ? {} : { target }),
    ...(key === undefined ? {} : { key }),
    ...(time === undefined ? {} : { time }),
  };
  const proposed = proposeRoles(fields, given);
  const roles = questions === null ? proposed : await questions.askForRoles(fields, proposed, known);
  const out = known.out ?? `${input.name}.yaml`;
  const text = initDocument(input, fields, roles, out);
  parseConfig(text, out, process.env);
  write(out, text, known.force === true);
  if (known.json) printJson({ file: out, fields, ...roles });
  else printLine(`${out}: predicts ${roles.target}. Check it, then: millrace run ${out}`);
}

/** Whether the options name a source wholly, so that there is nothing that must be asked. */
function isComplete({ config, source, file, dir, brokers, topic, target }: InitOptions): boolean {
  if (config !== undefined) return target !== undefined;
  const place = source === 'csv' ? file : source === 'log' ? dir : brokers;
  return (
    source !== undefined && place !== undefined && (source === 'csv' || topic !== undefined) && target !== undefined
  );
}

/** @throws ConfigError that names the option which is missing. */
function inputOf({ source, file, dir, brokers, topic, schema, registry, name }: InitOptions): InitInput {
  const nameOf = (place: string): string => name ?? (place.replaceAll(/[^A-Za-z0-9._-]+/g, '-') || 'pipeline');
  if (source === undefined) throw missing('--source kafka, log or csv');
  if (source === 'csv') {
    if (file === undefined) throw missing('--file PATH');
    return { name: nameOf(basename(file).replace(/\.csv(\.gz)?$/, '')), source: { csv: { file } }, decode: null };
  }
  if (topic === undefined) throw missing('--topic TOPIC');
  const avro =
    schema === undefined ? (registry === undefined ? null : { registry: { url: registry } }) : { schemaFile: schema };
  const decode = avro === null ? 'json' : { avro };
  if (source === 'log') {
    if (dir === undefined) throw missing('--dir DIR');
    return { name: nameOf(topic), source: { log: { dir, topic } }, decode };
  }
  if (brokers === undefined) throw missing('--brokers HOST:PORT');
  return { name: nameOf(topic), source: { kafka: { brokers: brokers.split(','), topics: [topic] } }, decode };
}

function missing(option: string): ConfigError {
  return new ConfigError('config.missing', `init needs ${option}, or a terminal on which it can ask`);
}

/**
 * What a file says of the input, `${NAME}` as it stands there.
 * @throws ConfigError where it cannot be read or names no source.
 */
function inputIn(file: string, name?: string): InitInput {
  const document = readDocument(file) as Partial<InitInput> | null;
  const { source, decode = null, name: ownName = basename(file).replace(/\.[^.]*$/, '') } = document ?? {};
  if (source === undefined) throw new ConfigError('config.missing', `${file}: source: is missing; init reads from it`);
  return { name: name ?? ownName, source, decode };
}

/**
 * A configuration that reads the input from its start, in a consumer group of its own.
 * @throws ConfigError where source or decode is not as the configuration has it.
 */
function sampling({ source, decode }: InitInput): Config {
  const document = { source, ...(decode === null ? {} : { decode }), features: ['-'], target: 'none' };
  const name = `millrace-init-${process.pid}`;
  const config = configOf({ name, ...document } as ConfigDocument);
  if (config.source.kind === 'kafka')
    return { ...config, source: { ...config.source, groupId: name, start: 'earliest' } };
  if (config.source.kind === 'log') return { ...config, source: { ...config.source, start: 'earliest' } };
  return config;
}

function write(file: string, text: string, isForced: boolean): void {
  try {
    writeFileSync(file, text, { flag: isForced ? 'w' : 'wx' });
  } catch (error) {
    throw new ConfigError(
      'config.invalid',
      `--out ${file}: cannot be written (${messageOf(error)}). Name another file, or write over it with --force.`,
      { cause: error },
    );
  }
}
