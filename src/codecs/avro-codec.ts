import type avro from 'avsc';
import type { DecodedColumns, FieldPlan, RecordBlock, RejectReason } from '../records.ts';
import { messageOf } from '../errors.ts';
import type { AvroPath } from './avro-schema.ts';
import { avroPath, parseAvroSchema, valueAtPath } from './avro-schema.ts';
import { AvroScanner } from './avro-scan.ts';
import { LruMap } from './lru-map.ts';
import type { CodecLimits, Reject, RowCodec } from './row-codec.ts';
import { maxDepth, valueFault } from './row-codec.ts';
import type { TimeUnit } from './row-sink.ts';
import { quoted, RowSink } from './row-sink.ts';

/** Where writer schemas come from. */
export interface SchemaStore {
  /**
   * The JSON text of a schema, null where the id is known to name none. Waits and tries again while the store is away.
   *
   * @throws DecodeError (rejects) once its patience is used up, or when `signal` aborts.
   */
  schema(id: number, signal: AbortSignal): Promise<string | null>;
}

export interface AvroCodecOptions {
  readonly plan: FieldPlan;
  readonly schemas: SchemaStore;
  readonly limits: Pick<CodecLimits, 'valueBytes' | 'arrayItems'> & Partial<CodecLimits>;
  /** Schemas kept compiled at the most; the one used longest ago goes first. */
  readonly cachedSchemas?: number;
  /** For how long an unknown id is not asked for again, ms. */
  readonly unknownForMs?: number;
  readonly now?: () => number;
}

type Put = (sink: RowSink, column: number, value: unknown, unit: TimeUnit) => RejectReason | null;

interface WantedField {
  readonly name: string;
  readonly column: number;
  readonly path: AvroPath;
  readonly put: Put;
}

/** A writer schema made ready; `unreadable` says why no record of it can be used. */
interface ReadySchema {
  readonly type: avro.Type;
  readonly scanner: AvroScanner;
  readonly fields: readonly WantedField[];
  readonly unreadable: string | null;
}

/** An id that names no schema, or none that we can read. */
interface UnknownSchema {
  readonly unknown: string;
  readonly untilMs: number;
}

const headerBytes = 5;
/** Ids asked for at the same time. */
const concurrentLookups = 8;

const putNumber: Put = (sink, column, value) => sink.putNumber(column, value);
const putText: Put = (sink, column, value) => sink.putText(column, value);
const putTime: Put = (sink, column, value, unit) => sink.putTime(column, value, unit);

/**
 * Reads Avro in Confluent framing: byte 0, the schema id in 4 bytes big endian, one datum that ends with the value.
 * A scan by the writer schema bounds counts and depth before avsc decodes.
 */
export function avroCodec(options: AvroCodecOptions): RowCodec {
  return new AvroCodec(options);
}

class AvroCodec implements RowCodec {
  readonly plan: FieldPlan;
  readonly #options: AvroCodecOptions;
  readonly #limits: CodecLimits;
  readonly #known: LruMap<number, ReadySchema | UnknownSchema>;
  readonly #now: () => number;
  /** Schemas of the block being decoded: an eviction between prepare and decode must not cost a record. */
  #prepared = new Map<number, ReadySchema | UnknownSchema>();

  constructor(options: AvroCodecOptions) {
    this.plan = options.plan;
    this.#options = options;
    this.#limits = { depth: maxDepth, ...options.limits };
    this.#known = new LruMap(options.cachedSchemas ?? 1000);
    this.#now = options.now ?? Date.now;
  }

  prepare(block: RecordBlock, signal: AbortSignal): Promise<void> | null {
    const prepared = new Map<number, ReadySchema | UnknownSchema>();
    const missing = new Set<number>();
    let latestId = -1;
    for (let index = 0; index < block.recordCount; index += 1) {
      const id = schemaId(block, index);
      if (id === latestId || id < 0) continue;
      latestId = id;
      const known = this.#known.get(id);
      if (known === undefined || ('unknown' in known && known.untilMs <= this.#now())) missing.add(id);
      else prepared.set(id, known);
    }
    this.#prepared = prepared;
    return missing.size === 0 ? null : this.#load([...missing], signal);
  }

  decode(block: RecordBlock, reject: Reject): DecodedColumns {
    const sink = new RowSink(this.plan, block.recordCount);
    for (let index = 0; index < block.recordCount; index += 1) this.#decodeRecord(block, index, sink, reject);
    return sink.columns();
  }

  async #load(ids: readonly number[], signal: AbortSignal): Promise<void> {
    const waiting = ids.values();
    const lookUp = async (): Promise<void> => {
      for (const id of waiting) {
        const text = await this.#options.schemas.schema(id, signal);
        const schema = text === null ? this.#unknown(`no schema has the id ${id}`) : this.#ready(id, text);
        this.#known.set(id, schema);
        this.#prepared.set(id, schema);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrentLookups, ids.length) }, lookUp));
  }

  #unknown(unknown: string): UnknownSchema {
    return { unknown, untilMs: this.#now() + (this.#options.unknownForMs ?? 60_000) };
  }

  #ready(id: number, schemaText: string): ReadySchema | UnknownSchema {
    try {
      const type = parseAvroSchema(schemaText);
      const { fields, absent } = wantedFields(this.plan, type);
      const unreadable = absent.length === 0 ? null : `the writer schema ${id} has no field ${absent.join(', ')}`;
      return { type, scanner: new AvroScanner(type, this.#limits), fields, unreadable };
    } catch (error) {
      return this.#unknown(`schema ${id}: ${messageOf(error)}`);
    }
  }

  #decodeRecord(block: RecordBlock, index: number, sink: RowSink, reject: Reject): void {
    const length = block.valueLengths[index]!;
    const fault = valueFault(length, this.#limits.valueBytes) ?? frameFault(block, index);
    if (fault !== null) {
      reject(index, fault.reason, fault.detail);
      return;
    }
    const id = schemaId(block, index);
    const schema = this.#prepared.get(id);
    if (schema === undefined || 'unknown' in schema) {
      reject(index, 'schema.unknown', schema?.unknown ?? `no schema has the id ${id}`);
      return;
    }
    const start = block.valueStarts[index]! + headerBytes;
    const end = start - headerBytes + length;
    const scanFault = schema.scanner.fault(block.bytes, start, end);
    if (scanFault !== null) {
      reject(index, scanFault, `${length} bytes do not hold one datum of schema ${id} within the limits`);
      return;
    }
    if (schema.unreadable !== null) {
      reject(index, 'field.type', schema.unreadable);
      return;
    }
    this.#readFields(block.bytes, start, index, schema, sink, reject);
  }

  #readFields(bytes: Buffer, start: number, index: number, schema: ReadySchema, sink: RowSink, reject: Reject): void {
    let datum: unknown;
    try {
      datum = schema.type.decode(bytes, start).value;
    } catch (error) {
      reject(index, 'avro.invalid', messageOf(error));
      return;
    }
    for (const { name, column, path, put } of schema.fields) {
      const value = valueAtPath(datum, path);
      const reason = put(sink, column, value, path.unit);
      if (reason !== null) {
        reject(index, reason, `${name}: ${quoted(value)}`);
        return;
      }
    }
    sink.commit(index);
  }
}

/** The schema id of a framed value, -1 where there is no frame. Ids are positive; a negative one is nobody's. */
function schemaId(block: RecordBlock, index: number): number {
  const start = block.valueStarts[index]!;
  if (block.valueLengths[index]! < headerBytes || block.bytes[start] !== 0) return -1;
  return block.bytes.readInt32BE(start + 1);
}

function frameFault(block: RecordBlock, index: number): { reason: RejectReason; detail: string } | null {
  const length = block.valueLengths[index]!;
  const magic = block.bytes[block.valueStarts[index]!]!;
  if (length < headerBytes) return { reason: 'frame.short', detail: `${length} bytes, a frame has ${headerBytes}` };
  return magic === 0 ? null : { reason: 'frame.magic', detail: `the first byte is ${magic}, not 0` };
}

function wantedFields(plan: FieldPlan, type: avro.Type): { fields: readonly WantedField[]; absent: readonly string[] } {
  const absent: string[] = [];
  const find = (names: readonly string[], put: Put): WantedField[] =>
    names.flatMap((name, column) => {
      const path = avroPath(type, name);
      if (path !== null) return [{ name, column, path, put }];
      absent.push(name);
      return [];
    });
  const fields = [...find(plan.numbers, putNumber), ...find(plan.texts, putText), ...find(plan.times, putTime)];
  return { fields, absent };
}
