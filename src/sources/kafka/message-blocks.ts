import type { RecordBlock, RecordHeader } from '../../records.ts';
import { emptyBlock, type BlockPlace } from '../record-batch/record-blocks.ts';
import { maxBlockRecords } from '../source.ts';
import type { Batch, KafkaMessage } from './kafkajs.ts';

/** Bytes of the columns that a record has besides its own: four ints and two doubles. */
const columnBytes = 32;

/**
 * Messages that kafkajs decoded itself as blocks, then a block without records where the batch reaches beyond them. A
 * block is a copy, so that it keeps nothing of the fetch alive.
 */
export function* messageBlocks(batch: Batch, place: BlockPlace): Generator<RecordBlock, void, undefined> {
  const { topic, partition, fromOffset, stopOffset, endOffset } = place;
  const messages = batch.messages.filter(({ offset }) => Number(offset) >= fromOffset && Number(offset) < stopOffset);
  const end = Math.min(Number(batch.lastOffset()) + 1, stopOffset);
  for (let first = 0; first < messages.length; first += maxBlockRecords) {
    const part = messages.slice(first, first + maxBlockRecords);
    const isLast = first + maxBlockRecords >= messages.length;
    yield messageBlock(part, place, isLast ? end : Number(part.at(-1)?.offset) + 1);
  }
  if (messages.length > 0 || end <= fromOffset) return;
  yield emptyBlock({ topic, partition, nextOffset: end, epoch: -1, endOffset, isEndOfInput: false });
}

function messageBlock(messages: readonly KafkaMessage[], place: BlockPlace, nextOffset: number): RecordBlock {
  const recordCount = messages.length;
  const ints = new Int32Array(recordCount * 4);
  const valueStarts = ints.subarray(0, recordCount);
  const valueLengths = ints.subarray(recordCount, 2 * recordCount);
  const keyStarts = ints.subarray(2 * recordCount, 3 * recordCount);
  const keyLengths = ints.subarray(3 * recordCount);
  const offsets = new Float64Array(recordCount);
  const timestampsMs = new Float64Array(recordCount);
  const bytes = Buffer.allocUnsafe(messages.reduce((sum, { key, value }) => sum + lengthOf(key) + lengthOf(value), 0));
  const headers = messages.map(headersOf);

  let at = 0;
  const put = (part: Buffer | null, starts: Int32Array, lengths: Int32Array, index: number): void => {
    starts[index] = at;
    lengths[index] = part === null ? -1 : part.length;
    if (part !== null) at += part.copy(bytes, at);
  };
  for (const [index, message] of messages.entries()) {
    put(message.key, keyStarts, keyLengths, index);
    put(message.value, valueStarts, valueLengths, index);
    offsets[index] = Number(message.offset);
    timestampsMs[index] = Number(message.timestamp);
  }
  return {
    topic: place.topic,
    partition: place.partition,
    recordCount,
    bytes,
    valueStarts,
    valueLengths,
    keyStarts,
    keyLengths,
    offsets,
    timestampsMs,
    headers: (index) => headers[index] ?? [],
    nextOffset,
    epoch: epochOf(messages.at(-1)),
    isScored: true,
    endOffset: place.endOffset,
    barrier: null,
    isEndOfInput: false,
    release: place.take(bytes.length + recordCount * columnBytes + headerBytes(headers)),
  };
}

/** The leader epoch that a message was written in, -1 where unknown. */
export function epochOf(message: KafkaMessage | undefined): number {
  const { batchContext } = (message ?? {}) as { readonly batchContext?: { readonly partitionLeaderEpoch: number } };
  return batchContext?.partitionLeaderEpoch ?? -1;
}

function lengthOf(part: Buffer | null): number {
  return part?.length ?? 0;
}

const none: readonly RecordHeader[] = [];

/** kafkajs groups headers by key; among different keys the order of their first appearance is kept. */
function headersOf({ headers }: KafkaMessage): readonly RecordHeader[] {
  if (headers === undefined) return none;
  const entries = Object.entries(headers);
  if (entries.length === 0) return none;
  return entries.flatMap(([key, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => ({
      key,
      value: value === undefined || (value as unknown) === null ? null : Buffer.from(value),
    })),
  );
}

function headerBytes(headers: readonly (readonly RecordHeader[])[]): number {
  let bytes = 0;
  for (const list of headers) {
    for (const { key, value } of list) bytes += key.length + (value?.length ?? 0);
  }
  return bytes;
}
