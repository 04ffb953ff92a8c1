import { setTimeout as delay } from 'node:timers/promises';
import { PipelineError, messageOf } from '../../errors.ts';
import type { RecordHeader } from '../../records.ts';
import { codecs, loadCompression, type Codec } from '../record-batch/compression.ts';
import { brokersOf, kafkaClient, type KafkaClient, type KafkaConnection } from './kafka-connection.ts';
import { kafkajs, type CompressionTypes, type ICustomPartitioner, type Message, type Producer } from './kafkajs.ts';
import { PartitionOffsets } from './partition-offsets.ts';

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

/** Writes to one topic; connects, and creates the topic where it is missing, at the first call that needs it. */
export interface KafkaWriter {
  /**
   * Resolves when every in-sync replica has the records. Records of one partition keep their order.
   * Trouble is tried again for `connectTimeoutMs`, without writing a record twice.
   * @throws PipelineError `source.unavailable`; some of the records may have been written.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /** The read-committed end of each partition, by partition number. @throws as `send` */
  endOffsets(): Promise<number[]>;
  close(): Promise<void>;
}

export interface KafkaWriterOptions extends KafkaConnection {
  readonly topic: string;
  /** Partitions of a topic that is created; by default as many as the broker wants. */
  readonly partitions?: number | undefined;
  readonly codec?: Codec | undefined;
  /** Records up to this size are accepted by a topic that is created; by default the broker's own limit. */
  readonly maxRecordBytes?: number | undefined;
  /** How long a call goes on trying. */
  readonly connectTimeoutMs: number;
}

// kafkajs copies the array of a send once per message, so that its cost grows with the square; and what goes to one
// partition in one send becomes one batch, which brokers refuse above 1 MiB.
const recordsPerSend = 2000;
const bytesPerSend = 512 * 1024;

const minBackoffMs = 200;
const maxBackoffMs = 2000;

/** @throws ConfigError where TLS or SASL settings cannot be used. */
export function kafkaWriter(options: KafkaWriterOptions): KafkaWriter {
  const client = kafkaClient(options, 'none');
  const offsets = new PartitionOffsets(options, [options.topic]);
  const producer = client.kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: pinningPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
    // kafkajs insists on a retry of its own; the rest is done below, where time is counted.
    retry: { retries: 1, initialRetryTime: minBackoffMs },
  });
  // kafkajs counts codecs as Kafka does, in an enum of its own.
  const compression = codecs.indexOf(options.codec ?? 'none') as unknown as CompressionTypes;
  let ready: Promise<void> | null = null;
  let isClosed = false;

  /** Connected once; after a failure the next call tries again. */
  function connected(): Promise<void> {
    ready ??= connect(options, client, producer).catch((error: unknown) => {
      ready = null;
      throw error;
    });
    return ready;
  }

  async function persist<T>(call: () => Promise<T>): Promise<T> {
    const start = Date.now();
    for (let backoffMs = minBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      try {
        await connected();
        return await call();
      } catch (error) {
        if (isFinal(error) || isClosed || Date.now() - start + backoffMs > options.connectTimeoutMs) {
          throw asWriteError(error, options);
        }
        // kafkajs keeps using connections over which requests have timed out.
        client.destroySockets();
      }
      await delay(backoffMs);
    }
  }

  return {
    send: async (records) => {
      for (const part of sends(records)) {
        // The very same messages at each try, so that the broker knows those it has by their sequence numbers.
        const messages = part.map(toMessage);
        await persist(() => producer.send({ topic: options.topic, acks: -1, compression, messages }));
      }
    },
    endOffsets: () =>
      persist(async () => {
        const ranges = await offsets.ranges();
        return ranges.map(({ endOffset }) => endOffset);
      }),
    close: async () => {
      isClosed = true;
      offsets.close();
      await producer.disconnect().catch(() => undefined);
      client.destroy();
    },
  };
}

async function connect(options: KafkaWriterOptions, { kafka }: KafkaClient, producer: Producer): Promise<void> {
  await loadCompression();
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { topic, partitions, maxRecordBytes } = options;
    if (!(await admin.listTopics()).includes(topic)) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic,
            ...(partitions === undefined ? {} : { numPartitions: partitions }),
            configEntries:
              maxRecordBytes === undefined ? [] : [{ name: 'max.message.bytes', value: String(maxRecordBytes) }],
          },
        ],
      });
    }
  } finally {
    await admin.disconnect();
  }
  await producer.connect();
}

/** As Java's client, and the same partition again where a message is sent again. */
const pinningPartitioner: ICustomPartitioner = () => {
  const byKey = kafkajs.Partitioners.DefaultPartitioner();
  return (choice) => (choice.message.partition ??= byKey(choice));
};

/** True where a broker has said no for good: too large, not allowed. */
function isFinal(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at.name === 'KafkaJSProtocolError' && 'retriable' in at) return at.retriable === false;
  }
  return false;
}

function asWriteError(error: unknown, options: KafkaWriterOptions): PipelineError {
  const message = `cannot write to topic ${options.topic} at ${brokersOf(options)}: ${messageOf(error)}`;
  return new PipelineError('source.unavailable', message, { retriable: !isFinal(error), cause: error });
}

/** Cuts records into sends that brokers take and kafkajs is quick with. */
function* sends(records: readonly OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let part: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    if (part.length > 0 && (part.length === recordsPerSend || bytes + size > bytesPerSend)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  if (part.length > 0) yield part;
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
