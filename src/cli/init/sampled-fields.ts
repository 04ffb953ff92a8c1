import { concatMap, lastValueFrom, takeWhile } from 'rxjs';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../errors.ts';
import type { RecordBlock } from '../../records.ts';
import { Credit } from '../../sources/credit.ts';
import { ColumnTypes, type CsvType } from '../../sources/csv/csv-types.ts';
import { silentTelemetry } from '../../telemetry.ts';
import { makeCodec, makeSource } from '../../service/input.ts';

/** Records that a sample has at the most. */
const sampleRecords = 1000;

/** A field of the sampled records. */
export interface SampledField {
  /** Dotted path. */
  readonly name: string;
  readonly type: CsvType;
  /** Different values in the sample. */
  readonly values: number;
  /** Whether it numbers records: whole numbers that only grow, over all or within each value of a text. */
  readonly isCounter: boolean;
}

/**
 * The fields of the first records, read by the source and the codec that the configuration describes.
 * @throws ConfigError where there is no record that can be read; SourceError as the source.
 */
export async function sampledFields(config: Config): Promise<readonly SampledField[]> {
  const reading = { isBounded: true, positions: [] };
  const credit = new Credit(config.limits.creditBytes);
  const source = await makeSource(config, reading, credit, silentTelemetry);
  const codec = await makeCodec(config, { numbers: [], texts: [], times: [] }, true, silentTelemetry);
  const records: object[] = [];
  const { signal } = new AbortController();
  const read = async (block: RecordBlock): Promise<boolean> => {
    await codec.prepare(block, signal);
    codec.decode(block, () => undefined).recycle?.();
    for (let index = 0; index < block.recordCount && records.length < sampleRecords; index += 1) {
      const record = codec.recordAt(block, index);
      if (record !== null) records.push(record);
    }
    block.release();
    return records.length < sampleRecords;
  };
  try {
    await lastValueFrom(source.blocks.pipe(concatMap(read), takeWhile(Boolean)), { defaultValue: false });
  } finally {
    await source.close();
  }
  if (records.length > 0) return fieldsOf(records, config.decode.kind === 'csv');
  throw new ConfigError(
    'config.invalid',
    `the source has no record that can be read as ${config.decode.kind}. Say how values are written (--schema FILE or --registry URL for Avro), or write some records first.`,
  );
}

function fieldsOf(records: readonly object[], areCells: boolean): readonly SampledField[] {
  const rows = records.map((record) => new Map(leaves(record, '')));
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const types = new ColumnTypes(names);
  for (const row of rows) types.learn(names.map((name) => cellOf(row.get(name), areCells)));
  const columns = types.columns();
  const texts = columns.filter(({ type }) => type === 'text');
  const groupings = [
    rows.map(() => ''),
    ...texts.map(({ name }) => rows.map((row) => cellOf(row.get(name), areCells))),
  ];
  return columns.map(({ name, type }) => {
    const cells = rows.map((row) => cellOf(row.get(name), areCells));
    const known = cells.filter((cell) => cell !== '');
    const kind = isEpoch(type, name, known) ? 'time' : type;
    const isCounter = kind === 'number' && groupings.some((groups) => countsUp(cells, groups));
    return { name, type: kind, values: new Set(known).size, isCounter };
  });
}

/** Values by dotted path; arrays and bytes have none that a feature could be made of. */
function* leaves(value: object, prefix: string): Generator<readonly [string, unknown]> {
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const path = `${prefix}${name}`;
    if (member instanceof Date || typeof member !== 'object' || member === null) yield [path, member];
    else if (!Array.isArray(member) && !ArrayBuffer.isView(member)) yield* leaves(member, `${path}.`);
  }
}

/** As a CSV file would have it; digits in the quotes of JSON are text, as the codecs read them. */
function cellOf(value: unknown, isCell: boolean): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return isCell || Number.isNaN(Number(value)) ? value : JSON.stringify(value);
  return (value as number | boolean | bigint).toString();
}

/** Pairs of successive values that must all grow before it is no chance. */
const leastPairs = 20;

/** Whether cells are whole numbers of which each is above the one before it in its group. */
function countsUp(cells: readonly string[], groups: readonly string[]): boolean {
  const last = new Map<string, number>();
  let pairs = 0;
  for (const [index, cell] of cells.entries()) {
    const group = groups[index]!;
    const value = cell === '' ? Number.NaN : Number(cell);
    const before = last.get(group);
    if (!Number.isInteger(value) || (before !== undefined && value <= before)) return false;
    if (before !== undefined) pairs += 1;
    last.set(group, value);
  }
  return pairs >= leastPairs;
}

/** Whether numbers are Unix milliseconds: of this century, and named so. */
function isEpoch(type: CsvType, name: string, cells: readonly string[]): boolean {
  const isNamed = /time|date|(at|At|_at|ts)$/.test(name);
  return type === 'number' && isNamed && cells.every((cell) => Number(cell) > 9e11 && Number(cell) < 4.2e12);
}
