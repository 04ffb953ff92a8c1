import type { RecordBlock, RecordHeader } from '../../records.ts';
import type { KafkaMessage } from './kafkajs.ts';

/** What a block says besides its records. */
export interface MessagePlace {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  readonly endOffset: number;
  /** Takes bytes as credit and returns their release. */
  take(bytes: number): () => void;
}

/** Bytes of the columns that a record has besides its own: four ints and two doubles. */
const columnBytes = 32;

/** Copies messages of one partition into a block, so that it keeps nothing of the fetch alive. */
export function messageBlock(messages: readonly KafkaMessage[], place: MessagePlace): RecordBlock {
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
  const { topic, partition, nextOffset, endOffset } = place;
  return {
    topic,
    partition,
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
    endOffset,
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
