import { join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../errors.ts';
import type { RegistryConfig } from '../service/avro-input.ts';
import type { KafkaConnection } from '../sources/kafka/kafka-connection.ts';

/** What the command line says of it. */
export interface TargetOptions {
  readonly config?: string;
  readonly brokers?: string;
  readonly log?: string;
  readonly topic?: string;
  readonly registry?: string;
  readonly schema?: string;
  readonly key?: string;
  readonly time?: string;
}

/** The topic that readings go to, and how they are written. */
export interface ProduceTarget {
  readonly topic: string;
  /** A cluster, or the directory of an embedded log. */
  readonly place: KafkaConnection | string;
  readonly schema: RegistryConfig | SchemaFile;
  readonly key: string | undefined;
  readonly time: string | undefined;
}

/** A file that is made from the readings where it is missing, and the id that is written before each value. */
export interface SchemaFile {
  readonly file: string;
  readonly id: number;
}

/** @throws ConfigError where nothing says where to write, or the configuration reads what cannot be produced. */
export function produceTarget(options: TargetOptions): ProduceTarget {
  return options.config === undefined ? fromOptions(options) : fromConfig(options.config, options);
}

function fromOptions({ brokers, log, topic, registry, schema, key, time }: TargetOptions): ProduceTarget {
  if (brokers === undefined && log === undefined) {
    throw new ConfigError('config.missing', 'say where to write: --config FILE, --brokers HOST:PORT or --log DIR');
  }
  if (topic === undefined) throw new ConfigError('config.missing', 'say which topic to write to: --topic NAME');
  return {
    topic,
    place: log ?? { brokers: (brokers ?? '').split(',') },
    schema:
      registry === undefined ? { file: schema ?? join(log ?? '.', `${topic}.avsc`), id: 1 } : registryAt(registry),
    key,
    time,
  };
}

function registryAt(address: string): RegistryConfig {
  if (!URL.canParse(address)) throw new ConfigError('config.invalid', `--registry ${address}: is no URL`);
  const url = new URL(address);
  const { username, password } = url;
  url.username = url.password = '';
  if (username === '') return { url: url.href };
  return { url: url.href, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** What a pipeline reads, as it reads it: brokers with TLS and SASL, or a log; registry or schema file; key and time. */
function fromConfig(file: string, options: TargetOptions): ProduceTarget {
  const { source, decode, key, time } = loadConfig(file).config;
  const refuse = (what: string): ConfigError =>
    new ConfigError('config.invalid', `${file}: produce writes Avro to Kafka or an embedded log, and ${what}`);
  if (source.kind !== 'kafka' && source.kind !== 'log') throw refuse(`source is ${source.kind}`);
  if (decode.kind !== 'avro') throw refuse(`decode is ${decode.kind}`);
  const topics = source.kind === 'kafka' ? source.topics : [source.topic];
  const topic = options.topic ?? topics[0] ?? '';
  if (topics.length > 1 && options.topic === undefined) {
    throw new ConfigError('config.missing', `${file} reads ${topics.join(', ')}: say which one with --topic`);
  }
  const { registry, schemaFile, schemaId } = decode;
  return {
    topic,
    place: source.kind === 'kafka' ? source : source.dir,
    schema: registry ?? { file: schemaFile ?? '', id: schemaId ?? 1 },
    key: options.key ?? key,
    time: options.time ?? time?.field,
  };
}
