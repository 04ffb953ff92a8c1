import { readFileSync } from 'node:fs';
import { avroCodec, type SchemaStore } from '../codecs/avro-codec.ts';
import { avroFields } from '../codecs/avro-schema.ts';
import { csvCodec } from '../codecs/csv-codec.ts';
import { jsonCodec } from '../codecs/json-codec.ts';
import type { RowCodec } from '../codecs/row-codec.ts';
import { schemaFile, schemaFileText } from '../codecs/schema-file.ts';
import { SchemaRegistry } from '../codecs/schema-registry.ts';
import type { Config, DecodeConfig } from '../config/config.ts';
import { ConfigError, messageOf } from '../errors.ts';
import type { FieldPlan, Position } from '../records.ts';
import { csvFiles } from '../sources/csv/csv-files.ts';
import { csvSource } from '../sources/csv/csv-source.ts';
import { inferColumns, type CsvColumn } from '../sources/csv/csv-types.ts';
import { kafkaSource } from '../sources/kafka/kafka-source.ts';
import { logSource } from '../sources/log/log-source.ts';
import type { Credit } from '../sources/credit.ts';
import type { Source } from '../sources/source.ts';
import type { Telemetry } from '../telemetry.ts';
import type { InputField } from './feature-plan.ts';

/** How a run reads: to the end that the input has now, or following it; and from where. */
export interface Reading {
  readonly isBounded: boolean;
  readonly positions: readonly Position[];
}

type RegistryConfig = NonNullable<Extract<DecodeConfig, { kind: 'avro' }>['registry']>;

/** The source that the configuration describes. */
export function makeSource(config: Config, reading: Reading, credit: Credit, telemetry: Telemetry): Source {
  const { source, limits, connectTimeout: connectTimeoutMs } = config;
  switch (source.kind) {
    case 'kafka':
      return kafkaSource(
        {
          ...source,
          groupId: source.groupId ?? config.name,
          ...reading,
          connectTimeoutMs,
          credit,
        },
        telemetry,
      );
    case 'log':
      return logSource({ ...source, ...reading, connectTimeoutMs, credit, pollMs: 100 }, telemetry);
    case 'csv':
      return csvSource(
        {
          files: source.file,
          speed: source.speed,
          epochs: source.epochs,
          timeField: config.time?.field ?? null,
          positions: reading.positions,
          credit,
          maxRecordBytes: limits.valueBytes,
        },
        telemetry,
      );
  }
}

/** The codec that the configuration describes, for the fields that the plan wants. */
export async function makeCodec(
  config: Config,
  plan: FieldPlan,
  isBounded: boolean,
  telemetry: Telemetry,
): Promise<RowCodec> {
  const { decode, limits } = config;
  switch (decode.kind) {
    case 'avro':
      return avroCodec({ plan, limits, schemas: schemaStore(config, isBounded, telemetry) });
    case 'json':
      return jsonCodec({ plan, limits });
    case 'csv':
      return csvCodec({ plan, limits, columns: decode.columns ?? (await csvColumns(config)).map(({ name }) => name) });
  }
}

/** The fields that the input is known to have before the first record is read; for `features: auto`. */
export async function inputFields(config: Config, telemetry: Telemetry): Promise<readonly InputField[]> {
  const { decode } = config;
  if (config.source.kind === 'csv') {
    return (await csvColumns(config)).map(({ name, type }) => ({
      name,
      isNumeric: type === 'number' || type === 'boolean',
    }));
  }
  if (decode.kind !== 'avro') {
    throw new ConfigError(
      'config.invalid',
      `features: auto needs to know the fields beforehand, from Avro or a CSV file; ${decode.kind} does not tell. Name the features.`,
    );
  }
  const text = await avroSchemaText(config, telemetry);
  return avroFields(text).map(({ path, kind }) => ({ name: path, isNumeric: kind === 'number' }));
}

/** Columns of a CSV source: as declared, else inferred from the first rows. */
export async function csvColumns(config: Config): Promise<readonly CsvColumn[]> {
  if (config.source.kind !== 'csv') return [];
  const declared = config.source.columns ?? {};
  const [first] = await csvFiles(config.source.file);
  const inferred = first === undefined ? [] : await inferColumns(first);
  return inferred.map(({ name, type }) => ({ name, type: declared[name] ?? type }));
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

function schemaRegistry(config: RegistryConfig, patienceMs: number | null, telemetry: Telemetry): SchemaRegistry {
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
