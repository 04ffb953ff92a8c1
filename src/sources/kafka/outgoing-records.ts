import type { RecordHeader } from '../../records.ts';
import type { LogRecord } from '../record-batch/encode-batch.ts';
import { kafkajs, type Admin, type ICustomPartitioner, type Message } from './kafkajs.ts';

/** A record to write. */
export interface OutgoingRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** Unix milliseconds, an integer. */
  readonly timestampMs: number;
  /** By default the key decides, as in Java's client (murmur2). */
  readonly partition?: number;
}

/** A topic to write to, and what it is made with where it is missing. */
export interface OutgoingTopic {
  readonly topic: string;
  /** Partitions of a topic that is created; by default as many as the broker wants. */
  readonly partitions?: number | undefined;
  /** Records up to this size are accepted by a topic that is created; by default the broker's own limit. */
  readonly maxRecordBytes?: number | undefined;
}

/** What a record takes in a batch besides key, value and headers, in bytes, at the most. */
const frameBytes = 32;

/** Records cut into runs of at most so many records and bytes; a record that is larger than that is a run of its own. */
export function* runsOf<Rec extends LogRecord>(
  records: readonly Rec[],
  most: { readonly records: number; readonly bytes: number },
): Generator<readonly Rec[], undefined> {
  let start = 0;
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    const size = sizeOf(record);
    if (index > start && (index - start === most.records || bytes + size > most.bytes)) {
      yield records.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < records.length) yield records.slice(start);
}

function sizeOf({ key, value, headers = [] }: LogRecord): number {
  let size = frameBytes + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) size += header.key.length + (header.value?.length ?? 0);
  return size;
}

// kafkajs copies the array of a send once per message, so that its cost grows with the square; and what goes to one
// partition in one send becomes one batch, which brokers refuse above 1 MiB.
const mostOfASend = { records: 2000, bytes: 512 * 1024 };

/** Messages of records, cut into sends that brokers take and kafkajs is quick with. */
export function* sends(records: readonly OutgoingRecord[]): Generator<Message[]> {
  for (const run of runsOf(records, mostOfASend)) yield run.map(toMessage);
}

/** As Java's client, and the same partition again where a message is sent again. */
export const pinningPartitioner: ICustomPartitioner = () => {
  const byKey = kafkajs.Partitioners.DefaultPartitioner();
  return (choice) => (choice.message.partition ??= byKey(choice));
};

/** Creates the topics that are missing. */
export async function createMissing(admin: Admin, topics: readonly OutgoingTopic[]): Promise<void> {
  const known = await admin.listTopics();
  const missing = topics.filter(({ topic }) => !known.includes(topic));
  if (missing.length === 0) return;
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map(({ topic, partitions, maxRecordBytes }) => ({
      topic,
      ...(partitions === undefined ? {} : { numPartitions: partitions }),
      configEntries: maxRecordBytes === undefined ? [] : [{ name: 'max.message.bytes', value: String(maxRecordBytes) }],
    })),
  });
}

function toMessage({ key, value, headers, timestampMs, partition }: OutgoingRecord): Message {
  return {
    key,
    value,
    timestamp: String(timestampMs),
    ...(headers.length === 0 ? {} : { headers: toHeaders(headers) }),
    ...(partition === undefined ? {} : { partition }),
  };
}

/** kafkajs keeps several values of one key together, and cannot write null: such a value becomes empty. */
function toHeaders(headers: readonly RecordHeader[]): NonNullable<Message['headers']> {
  const byKey = Object.create(null) as Record<string, Buffer[]>;
  for (const { key, value } of headers) (byKey[key] ??= []).push(Buffer.from(value ?? []));
  return byKey;
}
