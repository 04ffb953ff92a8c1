import { markBlock, type RecordBlock } from '../../records.ts';
import { maxBlockRecords } from '../source.ts';
import { columnBytes, type RecordColumns } from './record-columns.ts';
import { readHeaders } from './record-headers.ts';

/** What a block says besides its records. */
export interface BlockPlace {
  readonly topic: string;
  readonly partition: number;
  /** Records before it are left out: reading began within the batch. */
  readonly fromOffset: number;
  /** Records from it on are left out: a bounded reading ends within the batch. Infinite where it does not. */
  readonly stopOffset: number;
  /** The partition's known end, -1 where unknown. */
  readonly endOffset: number;
  /** Takes the block's bytes as credit and returns their release. */
  take(bytes: number): () => void;
}

/**
 * The records of a batch as blocks of at most `maxBlockRecords`, over the same bytes. Only the last block covers the
 * offsets behind the batch's last record. Lazy: credit is taken block by block.
 */
export function* recordBlocks(columns: RecordColumns, place: BlockPlace): Generator<RecordBlock, void, undefined> {
  const { recordCount, offsets, recordBytes } = columns;
  let first = 0;
  while (first < recordCount && offsets[first]! < place.fromOffset) first += 1;
  let last = recordCount;
  while (last > first && offsets[last - 1]! >= place.stopOffset) last -= 1;
  const bytesPerRecord = recordBytes / Math.max(1, recordCount) + columnBytes;
  while (first < last) {
    const end = Math.min(last, first + maxBlockRecords);
    yield slice(columns, first, end, place, place.take(Math.ceil((end - first) * bytesPerRecord)));
    first = end;
  }
}

function slice(
  columns: RecordColumns,
  first: number,
  end: number,
  place: BlockPlace,
  release: () => void,
): RecordBlock {
  const { header, bytes, headerStarts, headerEnds, offsets } = columns;
  return {
    topic: place.topic,
    partition: place.partition,
    recordCount: end - first,
    bytes,
    valueStarts: cut(columns.valueStarts, first, end),
    valueLengths: cut(columns.valueLengths, first, end),
    keyStarts: cut(columns.keyStarts, first, end),
    keyLengths: cut(columns.keyLengths, first, end),
    offsets: cut(offsets, first, end),
    timestampsMs: cut(columns.timestampsMs, first, end),
    headers: (index) => readHeaders(bytes, headerStarts[first + index]!, headerEnds[first + index]!),
    nextOffset: end === columns.recordCount ? Math.min(header.nextOffset, place.stopOffset) : offsets[end - 1]! + 1,
    epoch: header.epoch,
    isScored: true,
    endOffset: place.endOffset,
    barrier: null,
    isEndOfInput: false,
    release,
  };
}

/** Most batches are one block: then the column itself serves. */
function cut<Column extends Int32Array | Float64Array>(column: Column, first: number, end: number): Column {
  return end - first === column.length ? column : (column.subarray(first, end) as Column);
}

/** A block without records: it moves a position over what holds none, or marks the end of bounded input. */
export function emptyBlock(
  at: Pick<RecordBlock, 'topic' | 'partition' | 'nextOffset' | 'epoch' | 'endOffset' | 'isEndOfInput'>,
): RecordBlock {
  return { ...markBlock({}), ...at };
}
