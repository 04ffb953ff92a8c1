import type { DecodedColumns, FieldPlan, RecordBlock, RejectReason } from '../records.ts';

/** Told once about each record that cannot be used: its index in the block, the closed reason, and what exactly was wrong. */
export type Reject = (recordIndex: number, reason: RejectReason, detail: string) => void;

/** What one record may cost before a decoder gives up on it. */
export interface CodecLimits {
  /** Largest value, bytes. */
  readonly valueBytes: number;
  /** Most array items and map entries in one record, nested ones included. */
  readonly arrayItems: number;
  /** Deepest nesting of records, arrays, maps and objects in one record. */
  readonly depth: number;
}

/** The depth that every codec allows; sensors nest two or three deep. */
export const maxDepth = 32;

/** Turns raw records into columns of the wanted fields. Single caller: `prepare` resolves before `decode` of the same block. */
export interface RowCodec {
  readonly plan: FieldPlan;
  /**
   * Loads what `decode` needs for this block (schemas by id); null when nothing is missing. Tries again while the
   * registry is away and never rejects a record for it.
   *
   * @throws DecodeError (rejects) once the patience that the registry was given is used up, or when `signal` aborts.
   */
  prepare(block: RecordBlock, signal: AbortSignal): Promise<void> | null;
  /**
   * One row per good record, in order; tells each bad one to `reject`. Never throws for bad data. The columns are the
   * caller's until they are recycled.
   */
  decode(block: RecordBlock, reject: Reject): DecodedColumns;
  /** All fields of one record of the block decoded last, for human eyes; null where its bytes are none. Slow, never throws. */
  recordAt(block: RecordBlock, recordIndex: number): object | null;
}

/** What is wrong with a record. */
export interface RecordFault {
  readonly reason: RejectReason;
  readonly detail: string;
}

/** What is wrong with a value before any format is looked at; null where nothing is. */
export function valueFault(length: number, valueBytes: number): RecordFault | null {
  if (length < 0) return { reason: 'value.null', detail: 'the value is null (a tombstone)' };
  if (length === 0) return { reason: 'value.empty', detail: 'the value has no bytes' };
  if (length > valueBytes) {
    return { reason: 'value.tooLarge', detail: `${length} bytes, more than limits.valueBytes (${valueBytes})` };
  }
  return null;
}
