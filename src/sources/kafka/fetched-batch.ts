import type { RecordBlock } from '../../records.ts';
import { readHeader } from '../record-batch/batch-header.ts';
import { maxBatchBytes } from '../record-batch/compression.ts';
import type { BlockPlace } from '../record-batch/record-blocks.ts';
import { recordSetBlocks, type RecordSet } from '../record-batch/record-set.ts';
import { recordSetOf } from './columnar-fetch.ts';
import type { Batch } from './kafkajs.ts';
import { epochOf, messageBlocks } from './message-blocks.ts';

/** What one fetch brought of one partition, however it was decoded. */
export interface FetchedBatch {
  /** The offset that was asked for. */
  readonly fetchedOffset: number;
  /** The partition's end when it was fetched. */
  readonly endOffset: number;
  /** Where it begins, which may lie before the offset that was asked for; NaN where it holds nothing. */
  readonly firstOffset: number;
  /** Leader epoch in which its beginning was written, -1 where unknown. */
  readonly epoch: number;
  /** @throws SourceError `source.corrupt` as `recordSetBlocks`. */
  blocks(place: BlockPlace): Iterator<RecordBlock, void>;
}

/** Reads what kafkajs hands over: a record set, or messages where it decoded them itself. */
export function fetchedBatch(batch: Batch): FetchedBatch {
  const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
  const [first] = batch.messages;
  const place = { fetchedOffset: Number(fetchedOffset), endOffset: Number(batch.highWatermark) };
  const set = recordSetOf(first);
  return set === undefined
    ? {
        ...place,
        firstOffset: Number(batch.firstOffset() ?? NaN),
        epoch: epochOf(first),
        blocks: (at) => messageBlocks(batch, at),
      }
    : { ...place, ...beginOf(set), blocks: (at) => recordSetBlocks(set, at) };
}

function beginOf({ bytes }: RecordSet): { firstOffset: number; epoch: number } {
  const header = readHeader(bytes, 0, bytes.length, maxBatchBytes);
  // What is wrong with it is said when its blocks are asked for.
  if (typeof header === 'string') return { firstOffset: NaN, epoch: -1 };
  return { firstOffset: header.baseOffset, epoch: header.epoch };
}
