/** What a configuration says of its input, made. Each kind's modules are imported only where it is named. */
import type { RowCodec } from '../codecs/row-codec.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import type { FieldPlan, Position } from '../records.ts';
import type { CsvColumn } from '../sources/csv/csv-types.ts';
import type { Credit } from '../sources/credit.ts';
import type { MakeSource, Source } from '../sources/source.ts';
import type { Telemetry } from '../telemetry.ts';
import type { InputField } from './feature-plan.ts';

/** How a run reads: to the end that the input has now, or following it; and from where. */
export interface Reading {
  readonly isBounded: boolean;
  readonly positions: readonly Position[];
  /** Makes the source where the configuration leaves that to the program. */
  readonly makeSource?: MakeSource | undefined;
}

/**
 * The source that the configuration describes.
 * @throws ConfigError where that is one of a program, and there is none.
 */
export async function makeSource(
  config: Config,
  { makeSource: makeOwn, ...reading }: Reading,
  credit: Credit,
  telemetry: Telemetry,
): Promise<Source> {
  const { source, limits, connectTimeout: connectTimeoutMs } = config;
  switch (source.kind) {
    case 'kafka': {
      const { kafkaSource } = await import('../sources/kafka/kafka-source.ts');
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
    }
    case 'log': {
      const { logSource } = await import('../sources/log/log-source.ts');
      return logSource({ ...source, ...reading, connectTimeoutMs, credit, pollMs: 100 }, telemetry);
    }
    case 'csv': {
      const { csvSource } = await import('../sources/csv/csv-source.ts');
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
    case 'program': {
      if (makeOwn !== undefined) return makeOwn({ ...reading, topic: source.topic, credit, telemetry });
      throw new ConfigError(
        'config.invalid',
        'source.program: its rows come from a program that calls startPipeline({ config, source }), see docs/library.md. For the command line name kafka, log or csv.',
      );
    }
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
    case 'avro': {
      const { makeAvroCodec } = await import('./avro-input.ts');
      return makeAvroCodec(config, plan, isBounded, telemetry);
    }
    case 'json': {
      const { jsonCodec } = await import('../codecs/json-codec.ts');
      return jsonCodec({ plan, limits });
    }
    case 'csv': {
      const { csvCodec } = await import('../codecs/csv-codec.ts');
      return csvCodec({ plan, limits, columns: decode.columns ?? (await csvColumns(config)).map(({ name }) => name) });
    }
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
  const { avroInputFields } = await import('./avro-input.ts');
  return avroInputFields(config, telemetry);
}

/** Columns of a CSV source: as declared, else inferred from the first rows. */
export async function csvColumns(config: Config): Promise<readonly CsvColumn[]> {
  if (config.source.kind !== 'csv') return [];
  const declared = config.source.columns ?? {};
  const { csvFiles } = await import('../sources/csv/csv-files.ts');
  const { inferColumns } = await import('../sources/csv/csv-types.ts');
  const [first] = await csvFiles(config.source.file);
  const inferred = first === undefined ? [] : await inferColumns(first);
  return inferred.map(({ name, type }) => ({ name, type: declared[name] ?? type }));
}
