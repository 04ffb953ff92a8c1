import type { DecodedColumns, FieldPlan, RecordBlock } from '../records.ts';
import { messageOf } from '../errors.ts';
import { frameFault, headerBytes, schemaId, viewOf } from './avro-frame.ts';
import { parseAvroSchema } from './avro-schema.ts';
import { compiledAvro, type ReadRun } from './compiled-avro.ts';
import { GeneralAvro } from './general-avro.ts';
import { LruMap } from './lru-map.ts';
import type { CodecLimits, Reject, RowCodec } from './row-codec.ts';
import { maxDepth, valueFault } from './row-codec.ts';
import type { RowSink } from './row-sink.ts';
import { SinkPool } from './sink-pool.ts';
import { TextCache } from './text-cache.ts';

/** Where writer schemas come from. */
export interface SchemaStore {
  /**
   * The JSON text of a schema, null where the id is known to name none. Waits and tries again while the store is away.
   *
   * @throws DecodeError (rejects) once its patience is used up, or when `signal` aborts.
   */
  schema(id: number, signal: AbortSignal): Promise<string | null>;
}

/** What an Avro codec reads, and where it finds schemas. */
export interface AvroCodecOptions {
  readonly plan: FieldPlan;
  readonly schemas: SchemaStore;
  readonly limits: Pick<CodecLimits, 'valueBytes' | 'arrayItems'> & Partial<CodecLimits>;
  /** Schemas kept compiled at the most; the one used longest ago goes first. */
  readonly cachedSchemas?: number;
  /** For how long an unknown id is not asked for again, ms. */
  readonly unknownForMs?: number;
  /** Monotonic time, ms; for tests. */
  readonly now?: () => number;
}

/** A writer schema made ready; `unreadable` says why no record of it can be used. */
interface ReadySchema {
  /** Null where only the general way can read it. */
  readonly compiled: ReadRun | null;
  readonly general: GeneralAvro;
  readonly unreadable: string | null;
}

/** An id that names no schema, or none that we can read. */
interface UnknownSchema {
  readonly unknown: string;
  readonly untilMs: number;
}

/** Ids asked for at the same time. */
const concurrentLookups = 8;

/**
 * Reads Avro in Confluent framing: byte 0, the schema id in 4 bytes big endian, one datum that ends with the value.
 * Good records are read by a function compiled for their writer schema. The general way reads what that cannot compile
 * (a wanted field in a map, or in several records of one union) and says what is wrong with bad records.
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
  /** One for each text column, shared by all schemas. */
  readonly #texts: readonly TextCache[];
  readonly #sinks: SinkPool;

  constructor(options: AvroCodecOptions) {
    this.plan = options.plan;
    this.#options = options;
    this.#limits = { depth: maxDepth, ...options.limits };
    this.#known = new LruMap(options.cachedSchemas ?? 1000);
    this.#now = options.now ?? Date.now;
    this.#sinks = new SinkPool(options.plan);
    this.#texts = options.plan.texts.map(() => new TextCache());
  }

  prepare(block: RecordBlock, signal: AbortSignal): Promise<void> | null {
    const prepared = new Map<number, ReadySchema | UnknownSchema>();
    const missing = new Set<number>();
    const view = viewOf(block);
    let latestId = -1;
    for (let index = 0; index < block.recordCount; index += 1) {
      const id = schemaId(block, view, index);
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
    const sink = this.#sinks.take(block.recordCount);
    const view = viewOf(block);
    for (let index = 0; index < block.recordCount;) {
      const rowsBefore = sink.rowCount;
      this.#readRun(block, view, index, sink);
      index += sink.rowCount - rowsBefore;
      if (sink.rowCount > rowsBefore) continue;
      this.#decodeRecord(block, view, index, sink, reject);
      index += 1;
    }
    return this.#sinks.lend(sink);
  }

  recordAt(block: RecordBlock, recordIndex: number): object | null {
    const length = block.valueLengths[recordIndex]!;
    if ((valueFault(length, this.#limits.valueBytes) ?? frameFault(block, recordIndex)) !== null) return null;
    const schema = this.#prepared.get(schemaId(block, viewOf(block), recordIndex));
    if (schema === undefined || 'unknown' in schema) return null;
    const start = block.valueStarts[recordIndex]!;
    if (schema.general.scan(block.bytes, start + headerBytes, start + length) !== null) return null;
    return schema.general.record(block.bytes, start + headerBytes);
  }

  /** Commits rows for good records from `index` on as long as they have one writer schema, none where that is not compiled. */
  #readRun(block: RecordBlock, view: DataView, index: number, sink: RowSink): void {
    const id = schemaId(block, view, index);
    const schema = this.#prepared.get(id);
    if (schema === undefined || 'unknown' in schema) return;
    schema.compiled?.(block, view, index, id, this.#limits.valueBytes, sink);
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
      const general = new GeneralAvro(type, this.plan, this.#limits);
      if (general.absent.length === 0) {
        return { compiled: compiledAvro(type, this.plan, this.#limits, this.#texts), general, unreadable: null };
      }
      const unreadable = `the writer schema ${id} has no field ${general.absent.join(', ')}`;
      return { compiled: null, general, unreadable };
    } catch (error) {
      return this.#unknown(`schema ${id}: ${messageOf(error)}`);
    }
  }

  #decodeRecord(block: RecordBlock, view: DataView, index: number, sink: RowSink, reject: Reject): void {
    const length = block.valueLengths[index]!;
    const fault = valueFault(length, this.#limits.valueBytes) ?? frameFault(block, index);
    if (fault !== null) {
      reject(index, fault.reason, fault.detail);
      return;
    }
    const id = schemaId(block, view, index);
    const schema = this.#prepared.get(id);
    if (schema === undefined || 'unknown' in schema) {
      reject(index, 'schema.unknown', schema?.unknown ?? `no schema has the id ${id}`);
      return;
    }
    const start = block.valueStarts[index]! + headerBytes;
    const end = start - headerBytes + length;
    const scanFault = schema.general.scan(block.bytes, start, end);
    if (scanFault !== null) {
      reject(index, scanFault, `${length} bytes do not hold one datum of schema ${id} within the limits`);
      return;
    }
    if (schema.unreadable !== null) {
      reject(index, 'field.type', schema.unreadable);
      return;
    }
    const fieldFault = schema.general.read(block.bytes, start, sink);
    if (fieldFault === null) sink.commit(index);
    else reject(index, fieldFault.reason, fieldFault.detail);
  }
}
