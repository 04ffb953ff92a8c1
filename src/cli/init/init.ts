import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { stdin, stdout } from 'node:process';
import { Option, type Command } from 'commander';
import { configOf, parseConfig } from '../../config/load.ts';
import type { ConfigDocument } from '../../config/schema.ts';
import { ConfigError, messageOf } from '../../errors.ts';
import { printJson, printLine } from '../command-output.ts';
import { initDocument, proposeRoles, type InitInput, type Roles } from './init-document.ts';
import type { InitOptions } from './init-questions.ts';
import { sampledFields } from './sampled-fields.ts';

/** `millrace init` */
export function defineInit(command: Command): void {
  command
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
    .addHelpText('after', '\nExample:\n  millrace init --source csv --file examples/housing/housing.csv --target price')
    .action(init);
}

/** Reads the first records, proposes what to make of them, and writes the configuration. On a terminal it asks what options leave open. */
async function init(options: InitOptions): Promise<void> {
  const isAsking = stdin.isTTY && stdout.isTTY && options.json !== true && !isComplete(options);
  const questions = isAsking ? await import('./init-questions.ts') : null;
  const known = questions === null ? options : await questions.askForSource(options);
  const input = inputOf(known);
  const fields = await sampledFields(configOf(sampling(input)));
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
  parseConfig(text, out, {});
  write(out, text, known.force === true);
  if (known.json) printJson({ file: out, fields, ...roles });
  else printLine(`${out}: predicts ${roles.target}. Check it, then: millrace run ${out}`);
}

/** Whether the options name a source wholly, so that there is nothing that must be asked. */
function isComplete({ source, file, dir, brokers, topic, target }: InitOptions): boolean {
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

/** A configuration that reads the input, in a consumer group of its own. */
function sampling({ source, decode }: InitInput): ConfigDocument {
  const document = { source, ...(decode === null ? {} : { decode }), features: ['-'], target: 'none' };
  return { name: `millrace-init-${process.pid}`, ...document } as ConfigDocument;
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
