import { isUtf8 } from 'node:buffer';
import type { DecodedColumns, FieldPlan, RecordBlock } from '../records.ts';
import { messageOf } from '../errors.ts';
import { isTooDeep } from '../json-depth.ts';
import { decodeRows, putField } from './decode-rows.ts';
import { valueAt, wantedPaths } from './json-paths.ts';
import type { RecordFault, Reject, RowCodec } from './row-codec.ts';
import { maxDepth, valueFault } from './row-codec.ts';
import type { RowSink } from './row-sink.ts';
import { SinkPool } from './sink-pool.ts';

/** What a JSON codec reads, and what one record may cost. */
export interface JsonCodecOptions {
  readonly plan: FieldPlan;
  readonly limits: { readonly valueBytes: number; readonly depth?: number };
}

/** Reads one JSON object per record. A key that is not there is missing, as null is; only own keys count, so `__proto__` is harmless. */
export function jsonCodec(options: JsonCodecOptions): RowCodec {
  const { plan } = options;
  const { valueBytes, depth = maxDepth } = options.limits;
  const { numbers, texts, times } = wantedPaths(plan);
  const wanted = [...numbers, ...texts, ...times];
  const sinks = new SinkPool(plan);

  function readRecord(block: RecordBlock, recordIndex: number, sink: RowSink): RecordFault | null {
    const bytes = valueOf(block, recordIndex);
    if (isTooDeep(bytes, depth)) return { reason: 'json.tooDeep', detail: `nested deeper than ${depth}` };
    const parsed = parseObject(bytes);
    if (typeof parsed === 'string') return { reason: 'json.invalid', detail: parsed };
    for (const field of wanted) {
      const fault = putField(sink, field, valueAt(parsed, field.segments));
      if (fault !== null) return fault;
    }
    return null;
  }

  return {
    plan,
    prepare: () => null,
    decode: (block: RecordBlock, reject: Reject): DecodedColumns =>
      decodeRows(block, sinks, valueBytes, (recordIndex, sink) => readRecord(block, recordIndex, sink), reject),
    recordAt: (block, recordIndex) => {
      const value = valueOf(block, recordIndex);
      if (valueFault(value.length, valueBytes) !== null || isTooDeep(value, depth)) return null;
      const parsed = parseObject(value);
      return typeof parsed === 'string' ? null : parsed;
    },
  };
}

/** The bytes of a record's value; none where it is null. */
function valueOf({ bytes, valueStarts, valueLengths }: RecordBlock, recordIndex: number): Buffer {
  const start = valueStarts[recordIndex]!;
  return bytes.subarray(start, start + Math.max(0, valueLengths[recordIndex]!));
}

/** The object, or what is wrong with the text. */
function parseObject(bytes: Buffer): object | string {
  if (!isUtf8(bytes)) return 'not valid UTF-8';
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    return messageOf(error);
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : 'not a JSON object';
}
