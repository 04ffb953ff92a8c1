import { isUtf8 } from 'node:buffer';
import type { DecodedColumns, FieldPlan, RecordBlock, RejectReason } from '../records.ts';
import { messageOf } from '../errors.ts';
import type { Reject, RowCodec } from './row-codec.ts';
import { maxDepth, valueFault } from './row-codec.ts';
import { quoted, RowSink } from './row-sink.ts';

export interface JsonCodecOptions {
  readonly plan: FieldPlan;
  readonly limits: { readonly valueBytes: number; readonly depth?: number };
}

type PutValue = (sink: RowSink, column: number, value: unknown) => RejectReason | null;

interface WantedPath {
  readonly name: string;
  readonly segments: readonly string[];
  readonly column: number;
  readonly put: PutValue;
}

const putNumber: PutValue = (sink, column, value) => sink.putNumber(column, value);
const putText: PutValue = (sink, column, value) => sink.putText(column, value);
const putTime: PutValue = (sink, column, value) => sink.putTime(column, value, 'milliseconds');

/** Reads one JSON object per record. A key that is not there is missing, as null is; only own keys count, so `__proto__` is harmless. */
export function jsonCodec(options: JsonCodecOptions): RowCodec {
  const { plan } = options;
  const { valueBytes, depth = maxDepth } = options.limits;
  const wanted = [
    ...wantedPaths(plan.numbers, putNumber),
    ...wantedPaths(plan.texts, putText),
    ...wantedPaths(plan.times, putTime),
  ];

  function decodeRecord(block: RecordBlock, recordIndex: number, sink: RowSink, reject: Reject): void {
    const length = block.valueLengths[recordIndex]!;
    const fault = valueFault(length, valueBytes);
    if (fault !== null) {
      reject(recordIndex, fault.reason, fault.detail);
      return;
    }
    const start = block.valueStarts[recordIndex]!;
    const bytes = block.bytes.subarray(start, start + length);
    if (!isWithinDepth(bytes, depth)) {
      reject(recordIndex, 'json.tooDeep', `nested deeper than ${depth}`);
      return;
    }
    const parsed = parseObject(bytes);
    if (typeof parsed === 'string') {
      reject(recordIndex, 'json.invalid', parsed);
      return;
    }
    for (const { name, segments, column, put } of wanted) {
      const value = valueAt(parsed, segments);
      const reason = put(sink, column, value);
      if (reason !== null) {
        reject(recordIndex, reason, `${name}: ${quoted(value)}`);
        return;
      }
    }
    sink.commit(recordIndex);
  }

  return {
    plan,
    prepare: () => null,
    decode(block: RecordBlock, reject: Reject): DecodedColumns {
      const sink = new RowSink(plan, block.recordCount);
      for (let index = 0; index < block.recordCount; index += 1) decodeRecord(block, index, sink, reject);
      return sink.columns();
    },
  };
}

function wantedPaths(fields: readonly string[], put: PutValue): readonly WantedPath[] {
  return fields.map((name, column) => ({ name, segments: name.split('.'), column, put }));
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

/** Follows a path through own keys; undefined where it ends early, an array (never a usable value) where it meets no object. */
function valueAt(root: object, segments: readonly string[]): unknown {
  let value: unknown = root;
  for (const segment of segments) {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) return [];
    value = Object.hasOwn(value, segment) ? (value as Record<string, unknown>)[segment] : undefined;
  }
  return value;
}

const quote = 0x22;
const backslash = 0x5c;

/** Counts open brackets outside of strings, so that the parser never sees a bomb. */
function isWithinDepth(bytes: Buffer, depth: number): boolean {
  let open = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (isInString) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isInString = false;
    } else if (byte === quote) isInString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      open += 1;
      if (open > depth) return false;
    } else if (byte === 0x7d || byte === 0x5d) open -= 1;
  }
  return true;
}
