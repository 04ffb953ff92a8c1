import type { OperatorFunction } from 'rxjs';
import { map } from 'rxjs';
import type { DecodedBlock, DecodedColumns, RecordBlock, RejectReason, Snapshot } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import { OriginTable } from './origin-table.ts';

/** What `decode` needs of a codec. */
export interface BlockDecoder {
  /** One row per good record, in order; tells each bad one to `reject`. */
  decode(
    block: RecordBlock,
    reject: (recordIndex: number, reason: RejectReason, detail: string) => void,
  ): DecodedColumns;
}

/** Takes a bad record with its block (raw bytes still in place), the closed reason, and what exactly was wrong. */
export type OnReject = (block: RecordBlock, recordIndex: number, reason: RejectReason, detail: string) => void;

/** What reads records, and who is told of those that cannot be read. */
export interface DecodeOptions {
  readonly codec: BlockDecoder;
  readonly onReject: OnReject;
  readonly telemetry: Telemetry;
}

/** What `decode` remembers across restarts: how many records were read and rejected, and where rows come from. */
export class DecodeState {
  readonly origins = new OriginTable();
  read = 0;
  rejected = 0;

  /** A copy of what is remembered. */
  snapshot(): Snapshot {
    const { json, arrays } = this.origins.snapshot();
    return { json: { read: this.read, rejected: this.rejected, table: json }, arrays };
  }

  /** Only into a fresh state. */
  restore(snapshot: Snapshot): void {
    const facts = snapshot.json as unknown as { read: number; rejected: number; table: Snapshot['json'] };
    this.read = facts.read;
    this.rejected = facts.rejected;
    this.origins.restore({ json: facts.table, arrays: {} });
  }
}

/**
 * Turns raw records into columns. What the codec needs for a block is there already; bad records go to `onReject`. A
 * barrier takes the state along as the part `decode`.
 */
export function decode(state: DecodeState, options: DecodeOptions): OperatorFunction<RecordBlock, DecodedBlock> {
  return (blocks) => blocks.pipe(map((block) => decodeBlock(block, state, options)));
}

function decodeBlock(block: RecordBlock, state: DecodeState, options: DecodeOptions): DecodedBlock {
  const startedMs = performance.now();
  const rejected = new Map<RejectReason, number>();
  const columns = options.codec.decode(block, (recordIndex, reason, detail) => {
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
    options.onReject(block, recordIndex, reason, detail);
  });
  const { recordCount, topic, partition } = block;
  state.read += recordCount;
  state.rejected += recordCount - columns.rowCount;
  block.barrier?.parts.set('decode', state.snapshot());
  // A block without records still moves the position: control records, aborted transactions.
  if (block.nextOffset >= 0) tell(block, columns.rowCount, rejected, performance.now() - startedMs, options.telemetry);
  return {
    ...columns,
    barrier: block.barrier,
    isEndOfInput: block.isEndOfInput,
    release: () => {
      block.release();
    },
    source: block,
    originId: recordCount === 0 ? -1 : state.origins.idOf(topic, partition),
    partition,
    isScored: block.isScored,
    offsets:
      columns.recordIndexes.length === recordCount ? block.offsets : picked(block.offsets, columns.recordIndexes),
    timestampsMs: picked(block.timestampsMs, columns.recordIndexes),
  };
}

function picked(values: Float64Array, indexes: Int32Array): Float64Array {
  if (indexes.length === values.length) return values;
  const result = new Float64Array(indexes.length);
  for (let row = 0; row < indexes.length; row += 1) result[row] = values[indexes[row]!]!;
  return result;
}

function tell(
  block: RecordBlock,
  rows: number,
  rejected: ReadonlyMap<RejectReason, number>,
  elapsedMs: number,
  telemetry: Telemetry,
): void {
  let bytes = 0;
  let newestTimestampMs = block.timestampsMs[0] ?? 0;
  for (let index = 0; index < block.recordCount; index += 1) {
    bytes += Math.max(0, block.valueLengths[index]!) + Math.max(0, block.keyLengths[index]!);
    newestTimestampMs = Math.max(newestTimestampMs, block.timestampsMs[index]!);
  }
  const { topic, partition, recordCount: records, nextOffset, endOffset } = block;
  telemetry.emit({
    type: 'recordsRead',
    topic,
    partition,
    records,
    bytes,
    nextOffset,
    endOffset,
    newestTimestampMs,
  });
  for (const [reason, count] of rejected) telemetry.emit({ type: 'recordsRejected', reason, records: count });
  if (records > 0) telemetry.emit({ type: 'blockDecoded', rows, seconds: elapsedMs / 1000 });
}
