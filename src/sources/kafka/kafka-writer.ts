import { setTimeout as delay } from 'node:timers/promises';
import { PipelineError, messageOf } from '../../errors.ts';
import { codecs, loadCompression, type Codec } from '../record-batch/compression.ts';
import { brokersOf, kafkaClient, type KafkaClient, type KafkaConnection } from './kafka-connection.ts';
import { isRetriable, refusalOf } from './kafka-errors.ts';
import type { CompressionTypes, Producer } from './kafkajs.ts';
import {
  createMissing,
  pinningPartitioner,
  sends,
  type OutgoingRecord,
  type OutgoingTopic,
} from './outgoing-records.ts';
import { PartitionOffsets } from './partition-offsets.ts';

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

export interface KafkaWriterOptions extends KafkaConnection, OutgoingTopic {
  readonly codec?: Codec | undefined;
  /** How long a call goes on trying. */
  readonly connectTimeoutMs: number;
}

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
      // The very same messages at each try, so that the broker knows those it has by their sequence numbers.
      for (const messages of sends(records)) {
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
    await createMissing(admin, [options]);
  } finally {
    await admin.disconnect();
  }
  await producer.connect();
}

/** True where a broker has said no for good: too large, not allowed. */
function isFinal(error: unknown): boolean {
  return refusalOf(error) !== null && !isRetriable(error);
}

function asWriteError(error: unknown, options: KafkaWriterOptions): PipelineError {
  const message = `cannot write to topic ${options.topic} at ${brokersOf(options)}: ${messageOf(error)}`;
  return new PipelineError('source.unavailable', message, { retriable: !isFinal(error), cause: error });
}
