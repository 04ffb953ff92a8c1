import { setTimeout as delay } from 'node:timers/promises';
import { PipelineError, messageOf } from '../../errors.ts';
import { loadCompression, type Codec } from '../record-batch/compression.ts';
import { encodeBatch, type LogRecord } from '../record-batch/encode-batch.ts';
import { newIdentity, produceBatches, type PartitionBatch, type ProducerIdentity } from './batch-producer.ts';
import { brokersOf, kafkaClient, type KafkaClient, type KafkaConnection } from './kafka-connection.ts';
import { isRetriable, refusalOf } from './kafka-errors.ts';
import { kafkajs, type KafkaCluster } from './kafkajs.ts';
import { createMissing, runsOf, type OutgoingRecord, type OutgoingTopic } from './outgoing-records.ts';
import { PartitionOffsets } from './partition-offsets.ts';

/** Writes to one topic; connects, and creates the topic where it is missing, at the first call that needs it. */
export interface KafkaWriter {
  /**
   * Resolves when every in-sync replica has the records. Records of one partition keep their order, also those of calls that
   * overlap. Trouble is tried again for `connectTimeoutMs`, without writing a record twice.
   * @throws PipelineError `source.unavailable`; some of the records may have been written.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /** The same for records whose partition is known. */
  sendTo(partitions: ReadonlyMap<number, readonly LogRecord[]>): Promise<void>;
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
/** Of one batch, before it is compressed: brokers refuse batches above 1 MiB, and readers hold a whole one. */
const most = { records: 32_768, bytes: 512 * 1024 };
/** Sequence numbers are int32 and begin again at 0. */
const sequences = 2 ** 31;

/** @throws ConfigError where TLS or SASL settings cannot be used. */
export function kafkaWriter(options: KafkaWriterOptions): KafkaWriter {
  return new TopicWriter(options);
}

class TopicWriter implements KafkaWriter {
  readonly #options: KafkaWriterOptions;
  readonly #client: KafkaClient;
  readonly #offsets: PartitionOffsets;
  readonly #partitionOf = kafkajs.Partitioners.DefaultPartitioner();
  #cluster: KafkaCluster | null = null;
  #identity: ProducerIdentity | null = null;
  /** The next sequence number of each partition. */
  readonly #sequences = new Map<number, number>();
  /** The latest `send`, for the next to wait for. */
  #sent: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: KafkaWriterOptions) {
    this.#options = options;
    this.#client = kafkaClient(options, 'none');
    this.#offsets = new PartitionOffsets(options, [options.topic]);
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#afterTheLast(async () => {
      const partitions = await this.#persist((cluster) => Promise.resolve(this.#byPartition(cluster, records)));
      await this.#send(partitions);
    });
  }

  sendTo(partitions: ReadonlyMap<number, readonly LogRecord[]>): Promise<void> {
    return this.#afterTheLast(async () => {
      await this.#persist(() => Promise.resolve());
      await this.#send(partitions);
    });
  }

  endOffsets(): Promise<number[]> {
    return this.#persist(async () => {
      const ranges = await this.#offsets.ranges();
      return ranges.map(({ endOffset }) => endOffset);
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#offsets.close();
    this.#client.destroy();
    this.#cluster?.disconnect().catch(() => undefined);
    return Promise.resolve();
  }

  #afterTheLast(send: () => Promise<void>): Promise<void> {
    const sent = this.#sent.then(send);
    this.#sent = sent.catch(() => undefined);
    return sent;
  }

  /** A batch of each partition at a time: the next goes when the one before is known to be written. */
  async #send(partitions: ReadonlyMap<number, readonly LogRecord[]>): Promise<void> {
    const runs = [...partitions].map(([partition, records]) => ({ partition, next: runsOf(records, most) }));
    try {
      for (;;) {
        const batches = runs.flatMap(({ partition, next }) => {
          const { value } = next.next();
          return value === undefined ? [] : [this.#batch(partition, value)];
        });
        if (batches.length === 0) return;
        // The very same batches at each try, so that the broker knows those it has by their sequence numbers.
        await this.#persist((cluster) => produceBatches(cluster, this.#options.topic, batches));
      }
    } catch (error) {
      // Nobody knows whether the broker has the last ones, nor so which number comes next: whoever writes on is another producer.
      this.#identity = null;
      this.#sequences.clear();
      throw error;
    }
  }

  #byPartition(cluster: KafkaCluster, records: readonly OutgoingRecord[]): ReadonlyMap<number, OutgoingRecord[]> {
    const { topic } = this.#options;
    const partitionMetadata = cluster.findTopicPartitionMetadata(topic);
    const byPartition = new Map<number, OutgoingRecord[]>();
    for (const record of records) {
      const { key, value } = record;
      const partition = record.partition ?? this.#partitionOf({ topic, partitionMetadata, message: { key, value } });
      const part = byPartition.get(partition);
      if (part === undefined) byPartition.set(partition, [record]);
      else part.push(record);
    }
    return byPartition;
  }

  #batch(partition: number, records: readonly LogRecord[]): PartitionBatch {
    const identity = this.#identity!;
    const baseSequence = this.#sequences.get(partition) ?? 0;
    this.#sequences.set(partition, (baseSequence + records.length) % sequences);
    return { partition, bytes: encodeBatch(records, this.#options.codec, { ...identity, baseSequence }) };
  }

  async #persist<T>(call: (cluster: KafkaCluster) => Promise<T>): Promise<T> {
    const start = Date.now();
    for (let backoffMs = minBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      try {
        return await call(await this.#connected());
      } catch (error) {
        if (isFinal(error) || this.#isClosed || Date.now() - start + backoffMs > this.#options.connectTimeoutMs) {
          throw asWriteError(error, this.#options);
        }
        // kafkajs keeps using connections over which requests have timed out, and what it knows of leaders may be old.
        this.#client.destroySockets();
        this.#cluster = null;
      }
      await delay(backoffMs);
    }
  }

  /** Connected once, with an identity; after trouble the next call connects again. */
  async #connected(): Promise<KafkaCluster> {
    this.#cluster ??= await this.#connect();
    this.#identity ??= await newIdentity(this.#cluster);
    return this.#cluster;
  }

  async #connect(): Promise<KafkaCluster> {
    await loadCompression();
    const admin = this.#client.kafka.admin();
    try {
      await admin.connect();
      await createMissing(admin, [this.#options]);
    } finally {
      await admin.disconnect();
    }
    const cluster = this.#client.cluster();
    await cluster.connect();
    await cluster.addMultipleTargetTopics([this.#options.topic]);
    return cluster;
  }
}

/** True where a broker has said no for good: too large, not allowed. */
function isFinal(error: unknown): boolean {
  return refusalOf(error) !== null && !isRetriable(error);
}

function asWriteError(error: unknown, options: KafkaWriterOptions): PipelineError {
  const message = `cannot write to topic ${options.topic} at ${brokersOf(options)}: ${messageOf(error)}`;
  return new PipelineError('source.unavailable', message, { retriable: !isFinal(error), cause: error });
}
