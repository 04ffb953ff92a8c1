import { readFileSync } from 'node:fs';
import { avroCodec, type SchemaStore } from '../codecs/avro-codec.ts';
import { avroFields } from '../codecs/avro-schema.ts';
import type { RowCodec } from '../codecs/row-codec.ts';
import { schemaFile, schemaFileText } from '../codecs/schema-file.ts';
import { SchemaRegistry } from '../codecs/schema-registry.ts';
import type { Config, DecodeConfig } from '../config/config.ts';
import { ConfigError, messageOf } from '../errors.ts';
import type { FieldPlan } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import type { InputField } from './feature-plan.ts';

export type RegistryConfig = NonNullable<Extract<DecodeConfig, { kind: 'avro' }>['registry']>;

/** The codec of a configuration whose records are Avro. */
export function makeAvroCodec(config: Config, plan: FieldPlan, isBounded: boolean, telemetry: Telemetry): RowCodec {
  return avroCodec({ plan, limits: config.limits, schemas: schemaStore(config, isBounded, telemetry) });
}

/** The fields that the schema file has, or the latest schema of the topic in the registry. */
export async function avroInputFields(config: Config, telemetry: Telemetry): Promise<readonly InputField[]> {
  const text = await avroSchemaText(config, telemetry);
  return avroFields(text).map(({ path, kind }) => ({ name: path, isNumeric: kind === 'number' }));
}

/**
 * Registers a schema where the configuration names a registry, or finds it there, and returns its id; null where there is none.
 * @throws DecodeError (rejects) where the registry refuses it, or is away for longer than `connectTimeout`.
 */
export function registerSchema(
  { decode, connectTimeout }: Config,
  schema: { readonly subject: string; readonly text: string },
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<number> | null {
  if (decode.kind !== 'avro' || decode.registry === undefined) return null;
  return schemaRegistry(decode.registry, connectTimeout, telemetry).register(schema.subject, schema.text, signal);
}

/** All fields of the records that a schema file describes, by path. */
export function schemaFilePaths(file: string): readonly string[] {
  return avroFields(schemaFileText(file)).map(({ path }) => path);
}

async function avroSchemaText(config: Config, telemetry: Telemetry): Promise<string> {
  const { decode, source } = config;
  if (decode.kind === 'avro' && decode.schemaFile !== undefined) return schemaFileText(decode.schemaFile);
  const topic = source.kind === 'kafka' ? source.topics[0] : source.kind === 'log' ? source.topic : undefined;
  const subject = `${topic ?? ''}-value`;
  if (decode.kind === 'avro' && decode.registry !== undefined) {
    const registry = schemaRegistry(decode.registry, config.connectTimeout, telemetry);
    const latest = await registry.latest(subject, new AbortController().signal);
    if (latest !== null) return latest.schemaText;
  }
  throw new ConfigError(
    'config.missing',
    `features: auto: the registry knows no subject ${subject}. Register its schema or name the features.`,
  );
}

function schemaStore(config: Config, isBounded: boolean, telemetry: Telemetry): SchemaStore {
  const { decode } = config;
  if (decode.kind === 'avro' && decode.registry !== undefined) {
    return schemaRegistry(decode.registry, isBounded ? config.connectTimeout : null, telemetry);
  }
  if (decode.kind === 'avro' && decode.schemaFile !== undefined) return schemaFile(decode.schemaFile, decode.schemaId);
  throw new ConfigError('config.missing', 'decode.avro: needs registry or schemaFile');
}

/** A client of the registry; `patienceMs` null is for ever. @throws ConfigError where its certificates cannot be read. */
export function schemaRegistry(
  config: RegistryConfig,
  patienceMs: number | null,
  telemetry: Telemetry,
): SchemaRegistry {
  const { url, username, password, tls } = config;
  return new SchemaRegistry({
    url,
    ...(username === undefined || password === undefined ? {} : { username, password }),
    ...(tls === undefined ? {} : { ca: certificates(tls.caFile) }),
    patienceMs,
    telemetry,
  });
}

function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(
      'config.missing',
      `decode.avro.registry.tls.caFile: cannot read ${file} (${messageOf(error)})`,
    );
  }
}
