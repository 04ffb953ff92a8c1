import type { Barrier, DecodedBlock, RecordBlock, RowBlock, ScaledBlock } from '../../src/records.ts';
import { markBlock } from '../../src/records.ts';

/** Counts how often a block was released. */
export interface ReleaseCount {
  releases: number;
}

export interface RecordBlockFields {
  readonly topic?: string;
  readonly partition?: number;
  readonly firstOffset?: number;
  readonly firstTimestampMs?: number;
  readonly nextOffset?: number;
  readonly isScored?: boolean;
  readonly cells?: readonly (readonly string[])[];
  readonly count?: ReleaseCount;
}

/** A block of records with these values, null keys, offsets in a row and timestamps a second apart. */
export function recordBlock(values: readonly (Buffer | string | null)[], fields: RecordBlockFields = {}): RecordBlock {
  const { topic = 'readings', partition = 0, firstOffset = 0, firstTimestampMs = 0, isScored = true } = fields;
  // A byte in front keeps codecs from relying on values that start at 0.
  const parts: Buffer[] = [Buffer.from([0xee])];
  let at = 1;
  const valueStarts = new Int32Array(values.length);
  const valueLengths = new Int32Array(values.length);
  for (const [index, value] of values.entries()) {
    valueStarts[index] = at;
    valueLengths[index] = -1;
    if (value === null) continue;
    const bytes = Buffer.from(value);
    parts.push(bytes);
    valueLengths[index] = bytes.length;
    at += bytes.length;
  }
  return {
    ...markBlock({}),
    topic,
    partition,
    recordCount: values.length,
    bytes: Buffer.concat(parts),
    valueStarts,
    valueLengths,
    keyStarts: new Int32Array(values.length),
    keyLengths: new Int32Array(values.length).fill(-1),
    offsets: Float64Array.from(values, (_, index) => firstOffset + index),
    timestampsMs: Float64Array.from(values, (_, index) => firstTimestampMs + 1000 * index),
    nextOffset: fields.nextOffset ?? firstOffset + values.length,
    epoch: 0,
    isScored,
    endOffset: firstOffset + values.length,
    ...(fields.cells === undefined ? {} : { cells: fields.cells }),
    release: () => {
      if (fields.count !== undefined) fields.count.releases += 1;
    },
  };
}

export interface DecodedFields {
  readonly numbers?: readonly (readonly number[])[];
  readonly texts?: readonly (readonly (string | null)[])[];
  readonly times?: readonly (readonly number[])[];
  readonly firstOffset?: number;
}

/** A decoded block with these columns; every record of its source is good. */
export function decodedBlock(fields: DecodedFields): DecodedBlock {
  const { numbers = [], texts = [], times = [], firstOffset = 0 } = fields;
  const rowCount = [...numbers, ...texts, ...times][0]?.length ?? 0;
  const source = recordBlock(
    Array.from({ length: rowCount }, () => 'value'),
    { firstOffset },
  );
  return {
    barrier: null,
    isEndOfInput: false,
    release: () => undefined,
    source,
    originId: 0,
    partition: 0,
    isScored: true,
    rowCount,
    recordIndexes: Int32Array.from({ length: rowCount }, (_, row) => row),
    numbers: numbers.map((column) => Float64Array.from(column)),
    texts,
    times: times.map((column) => Float64Array.from(column)),
    offsets: source.offsets,
    timestampsMs: source.timestampsMs,
  };
}

/** A mark as it looks behind `decode`. */
export function decodedMark(mark: { readonly barrier?: Barrier; readonly isEndOfInput?: boolean }): DecodedBlock {
  const source = markBlock(mark);
  return { ...decodedBlock({}), barrier: source.barrier, isEndOfInput: source.isEndOfInput, source, originId: -1 };
}

export interface RowFields {
  readonly featureCount?: number;
  readonly firstOffset?: number;
  readonly originId?: number;
  readonly partition?: number;
  readonly isScored?: boolean;
  readonly keyIds?: readonly number[];
  readonly evictedKeyIds?: readonly number[];
  readonly count?: ReleaseCount;
  readonly barrier?: Barrier;
  readonly isEndOfInput?: boolean;
}

/** Rows with these features, [rowCount × featureCount]; the target of a row is ten times its offset. */
export function rowBlock(features: readonly number[], fields: RowFields = {}): RowBlock {
  const { featureCount = 1, firstOffset = 0, originId = 0, partition = 0, isScored = true } = fields;
  const rowCount = features.length / featureCount;
  const byRow = (value: (row: number) => number): Float64Array =>
    Float64Array.from({ length: rowCount }, (_, row) => value(row));
  return {
    barrier: fields.barrier ?? null,
    isEndOfInput: fields.isEndOfInput ?? false,
    release: () => {
      if (fields.count !== undefined) fields.count.releases += 1;
    },
    originId,
    partition,
    isScored,
    rowCount,
    featureCount,
    features: Float64Array.from(features),
    targets: byRow((row) => 10 * (firstOffset + row)),
    timesMs: byRow((row) => 60_000 * (firstOffset + row)),
    timestampsMs: byRow((row) => 1000 * (firstOffset + row)),
    offsets: byRow((row) => firstOffset + row),
    keyIds: Int32Array.from(fields.keyIds ?? byRow(() => 0)),
    evictedKeyIds: Int32Array.from(fields.evictedKeyIds ?? byRow(() => -1)),
  };
}

/** `rowBlock` behind a normalizer that changes nothing. */
export function scaledBlock(features: readonly number[], fields: RowFields = {}): ScaledBlock {
  return { ...rowBlock(features, fields), features: Float32Array.from(features) };
}

/** A barrier with no positions. */
export function emptyBarrier(): Barrier {
  return { positions: [], parts: new Map() };
}
