import type { RecordHeader } from '../../records.ts';
import { kafkajs, type Admin, type ICustomPartitioner, type Message } from './kafkajs.ts';

/** A record to write. */
export interface OutgoingRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** Unix milliseconds. */
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

// kafkajs copies the array of a send once per message, so that its cost grows with the square; and what goes to one
// partition in one send becomes one batch, which brokers refuse above 1 MiB.
const recordsPerSend = 2000;
const bytesPerSend = 512 * 1024;

/** Messages of records, cut into sends that brokers take and kafkajs is quick with. */
export function* sends(records: readonly OutgoingRecord[]): Generator<Message[]> {
  let part: Message[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    if (part.length > 0 && (part.length === recordsPerSend || bytes + size > bytesPerSend)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(toMessage(record));
    bytes += size;
  }
  if (part.length > 0) yield part;
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
    timestamp: String(Math.round(timestampMs)),
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
