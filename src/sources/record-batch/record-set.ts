import { SourceError } from '../../errors.ts';
import { partitionName, type RecordBlock } from '../../records.ts';
import { AbortedProducers, type AbortedTransaction } from './aborted-producers.ts';
import { hasGoodCrc, readHeader } from './batch-header.ts';
import { maxBatchBytes } from './compression.ts';
import { transactionEnd } from './control-record.ts';
import { corrupt } from './corrupt.ts';
import type { FoundBatch } from './found-batch.ts';
import { emptyBlock, recordBlocks, type BlockPlace } from './record-blocks.ts';
import { decodeRecords, type RecordColumns } from './record-columns.ts';

/** What one fetch brought of one partition, as the broker sent it. */
export interface RecordSet {
  /** Record batches one behind the other; the last may be cut off. */
  readonly bytes: Buffer;
  readonly abortedTransactions: readonly AbortedTransaction[];
}

/**
 * The records to show of a set as blocks over its own bytes, then a block without records where the set reaches beyond
 * them. Not shown are the marks of transactions and what was aborted. Lazy: a batch is checked and decoded, and a block's
 * credit is taken, when its turn comes. `loadCompression` must have resolved before.
 * @param maxBytes limit of what one batch may decompress to.
 * @throws SourceError `source.corrupt` at a batch that is damaged or decompresses beyond the limit; its context has
 * topic, partition and offset.
 */
export function* recordSetBlocks(
  set: RecordSet,
  place: BlockPlace,
  maxBytes: number = maxBatchBytes,
): Generator<RecordBlock, void, undefined> {
  const { topic, partition, fromOffset, stopOffset, endOffset } = place;
  const aborted = new AbortedProducers(set.abortedTransactions);
  let toldOffset = fromOffset;
  let passed = { nextOffset: fromOffset, epoch: -1 };
  let atOffset = fromOffset;
  try {
    for (const found of wholeBatches(set.bytes)) {
      const { header } = found;
      atOffset = header.baseOffset;
      if (atOffset >= stopOffset) break;
      const columns = shownColumns(found, aborted, maxBytes);
      atOffset = header.nextOffset;
      passed = header;
      if (columns === null) continue;
      for (const block of recordBlocks(columns, place)) {
        toldOffset = block.nextOffset;
        yield block;
      }
    }
  } catch (error) {
    throw placed(error, topic, partition, atOffset);
  }
  const nextOffset = Math.min(passed.nextOffset, stopOffset);
  if (nextOffset <= toldOffset) return;
  yield emptyBlock({ topic, partition, nextOffset, epoch: passed.epoch, endOffset, isEndOfInput: false });
}

/** The whole batches of a set. @throws SourceError where its bytes are none, or its first batch is not all there. */
function* wholeBatches(bytes: Buffer): Generator<FoundBatch, void, undefined> {
  for (let start = 0; start < bytes.length;) {
    const header = readHeader(bytes, start, bytes.length, maxBatchBytes);
    const isCut = typeof header === 'string' ? header === 'incomplete' : header.sizeBytes > bytes.length - start;
    if (isCut) {
      // A broker sends the first batch whole however long it is, so that this one's length must be wrong.
      if (start === 0) throw corrupt('it is cut off');
      return;
    }
    if (typeof header === 'string') throw corrupt('its header is damaged');
    yield { header, bytes, start };
    start += header.sizeBytes;
  }
}

/** Null where a batch has no record to show. */
function shownColumns(found: FoundBatch, aborted: AbortedProducers, maxBytes: number): RecordColumns | null {
  const { bytes, start, header } = found;
  if (!hasGoodCrc(bytes, start, header.sizeBytes)) throw corrupt('it does not match its CRC');
  // All records of a batch belong to one transaction, so that its last offset decides for all of them.
  aborted.reach(header.nextOffset - 1);
  const isAborted = header.isTransactional && aborted.has(header.producerId);
  if (header.recordCount === 0 || (isAborted && !header.isControl)) return null;
  const columns = decodeRecords(bytes, start, header, maxBytes);
  if (!header.isControl) return columns;
  if (transactionEnd(columns) === 'abort') aborted.end(header.producerId);
  return null;
}

function placed(error: unknown, topic: string, partition: number, offset: number): unknown {
  if (!(error instanceof SourceError)) return error;
  return new SourceError(
    error.code,
    `${partitionName({ topic, partition })}: the batch at offset ${offset} cannot be read: ${error.message}. ` +
      'To go on behind it, delete the records up to its end from the topic (kafka-delete-records) and set onOutOfRange to earliest',
    { cause: error, context: { ...error.context, topic, partition, offset } },
  );
}
