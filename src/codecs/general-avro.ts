import type avro from 'avsc';
import type { FieldPlan, RejectReason } from '../records.ts';
import { messageOf } from '../errors.ts';
import type { ScanFault } from './avro-scan.ts';
import { AvroScanner } from './avro-scan.ts';
import type { AvroPath } from './avro-schema.ts';
import { avroPath, valueAtPath } from './avro-schema.ts';
import type { CodecLimits, RecordFault } from './row-codec.ts';
import type { RowSink } from './row-sink.ts';
import { quoted } from './row-sink.ts';

type Put = (sink: RowSink, column: number, value: unknown, path: AvroPath) => RejectReason | null;

interface WantedField {
  readonly name: string;
  readonly column: number;
  readonly path: AvroPath;
  readonly put: Put;
}

const putNumber: Put = (sink, column, value) => sink.putNumber(column, value);
const putText: Put = (sink, column, value) => sink.putText(column, value);
/** A time beyond 2⁵³ is none in any unit: its bytes are wrong, not the field that was wanted. */
const putTime: Put = (sink, column, value, { unit, isTime }) =>
  isTime && typeof value === 'bigint' ? 'avro.invalid' : sink.putTime(column, value, unit);

/**
 * Reads records of any writer schema: a scan bounds counts and depth, then avsc decodes the whole datum and the wanted
 * fields are looked up in it. It decides what is wrong with a record; the compiled reader is tested against it.
 */
export class GeneralAvro {
  readonly #type: avro.Type;
  readonly #scanner: AvroScanner;
  readonly #fields: readonly WantedField[];
  /** Wanted fields that the writer schema lacks. */
  readonly absent: readonly string[];

  constructor(type: avro.Type, plan: FieldPlan, limits: Pick<CodecLimits, 'arrayItems' | 'depth'>) {
    const absent: string[] = [];
    const find = (names: readonly string[], put: Put): WantedField[] =>
      names.flatMap((name, column) => {
        const path = avroPath(type, name);
        if (path !== null) return [{ name, column, path, put }];
        absent.push(name);
        return [];
      });
    this.#type = type;
    this.#scanner = new AvroScanner(type, limits);
    this.#fields = [...find(plan.numbers, putNumber), ...find(plan.texts, putText), ...find(plan.times, putTime)];
    this.absent = absent;
  }

  /** What is wrong with the layout of the datum in `bytes[start, end)`; null where it is sound. */
  scan(bytes: Buffer, start: number, end: number): ScanFault | null {
    return this.#scanner.fault(bytes, start, end);
  }

  /** The whole of a sound datum where it is a record, null where it is none or cannot be read. */
  record(bytes: Buffer, start: number): object | null {
    try {
      const { value } = this.#type.decode(bytes, start) as { readonly value: unknown };
      return typeof value === 'object' ? value : null;
    } catch {
      return null;
    }
  }

  /** Puts the wanted fields of a sound datum into the current row, which the caller commits; tells what is wrong where something is. */
  read(bytes: Buffer, start: number, sink: RowSink): RecordFault | null {
    let datum: unknown;
    try {
      datum = this.#type.decode(bytes, start).value;
    } catch (error) {
      return { reason: 'avro.invalid', detail: messageOf(error) };
    }
    for (const { name, column, path, put } of this.#fields) {
      const value = valueAtPath(datum, path);
      const reason = put(sink, column, value, path);
      if (reason !== null) return { reason, detail: `${name}: ${quoted(value)}` };
    }
    return null;
  }
}
