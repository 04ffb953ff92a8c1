import { setTimeout as delay } from 'node:timers/promises';
import { PipelineError, SourceError, messageOf } from '../../errors.ts';
import { partitionName, type Position } from '../../records.ts';
import type { Credit } from '../credit.ts';
import type { BatchDelivery } from './batch-delivery.ts';
import { bottomOf, isRetriable } from './kafka-errors.ts';
import { kafkaClient, type KafkaClient, type KafkaConnection } from './kafka-connection.ts';
import type { Consumer, EachBatchPayload } from './kafkajs.ts';
import { isDone, type ReadingPositions } from './reading-positions.ts';

export interface SessionOptions extends KafkaConnection {
  readonly topics: readonly string[];
  readonly groupId: string;
  readonly credit: Credit;
}

export interface SessionListener {
  /** The group was joined and a fetch came back. */
  joined(): void;
  /** Reading goes on, but not of everything. */
  interrupted(message: string): void;
  /** A position moved. */
  moved(): void;
  /** The session has ended; nothing more comes of it. */
  failed(error: unknown): void;
}

/** Kafka's own defaults ask for 30 to 45 s before a lost member is noticed. */
const sessionTimeoutMs = 10_000;
const heartbeatIntervalMs = 1000;
const maxWaitMs = 500;
/** Of one partition in one fetch, whatever its share. */
const partitionBytes = { least: 256 << 10, most: 1 << 20 };
/** Of all partitions together, where there are few: an answer beyond the processor's cache is read from memory several times. */
const usualFetchBytes = 2 << 20;
const maxFetchBytes = 10 << 20;
/** Partitions added to a topic are found within this time. */
const metadataMaxAgeMs = 5000;

/**
 * One life of a kafkajs consumer: joins the group, seeks to our positions at every assignment, hands batches on, and
 * ends with the first trouble that kafkajs does not mend by itself.
 */
export class KafkaSession {
  readonly #options: SessionOptions;
  readonly #positions: ReadingPositions;
  readonly #delivery: BatchDelivery;
  readonly #listener: SessionListener;
  readonly #client: KafkaClient;
  readonly #consumer: Consumer;
  #hasJoined = false;
  /** The group gave us every partition that we read. */
  #isWhole = false;
  #isOver = false;

  constructor(
    options: SessionOptions,
    positions: ReadingPositions,
    delivery: BatchDelivery,
    listener: SessionListener,
  ) {
    this.#options = options;
    this.#positions = positions;
    this.#delivery = delivery;
    this.#listener = listener;
    const maxBytesPerPartition = bytesPerPartition(positions.all.length);
    this.#client = kafkaClient(options, 'endless');
    this.#consumer = this.#client.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      maxWaitTimeInMs: maxWaitMs,
      maxBytesPerPartition,
      maxBytes: Math.min(maxFetchBytes, Math.max(maxBytesPerPartition, Math.floor(options.credit.limitBytes / 2))),
      metadataMaxAge: metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      retry: {
        retries: 1000,
        maxRetryTime: 2000,
        initialRetryTime: 200,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
  }

  start(): void {
    this.#listen();
    this.#run().catch((error: unknown) => {
      this.#listener.failed(causeOf(error));
    });
  }

  async commit(positions: readonly Position[]): Promise<void> {
    if (!this.#hasJoined) return;
    await this.#consumer.commitOffsets(
      positions.map(({ topic, partition, nextOffset }) => ({ topic, partition, offset: String(nextOffset) })),
    );
  }

  /** Leaves the group and closes every connection, by force where that takes longer than `limitMs`. */
  async close(limitMs: number): Promise<void> {
    this.#isOver = true;
    const left = this.#consumer.disconnect().catch(() => undefined);
    await Promise.race([left, delay(limitMs, undefined, { ref: false })]);
    this.#client.destroy();
  }

  async #run(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#handle(payload),
    });
  }

  #listen(): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (!this.#isOver) this.#assigned(payload.memberAssignment);
    });
    this.#consumer.on(events.FETCH, () => {
      if (this.#isWhole && !this.#isOver) this.#listener.joined();
    });
    this.#consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      // Batches that hold nothing to show never come to the handler.
      if (payload.batchSize === 0 && !this.#isOver) this.#passed(payload);
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      this.#listener.failed(causeOf(payload.error));
    });
  }

  /** Seeks before the first fetch of an assignment: kafkajs tells synchronously and fetches afterwards. */
  #assigned(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#hasJoined = true;
    const mine = new Set<string>();
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        mine.add(partitionName({ topic, partition }));
        const reading = this.#positions.find(topic, partition) ?? this.#positions.add(topic, partition);
        if (reading === undefined || isDone(reading)) this.#consumer.pause([{ topic, partitions: [partition] }]);
        else this.#consumer.seek({ topic, partition, offset: String(reading.nextOffset) });
      }
    }
    const others = this.#positions.all.filter((reading) => !isDone(reading) && !mine.has(partitionName(reading)));
    this.#isWhole = others.length === 0;
    if (this.#isWhole) return;
    this.#listener.interrupted(
      `another member of group ${this.#options.groupId} reads ${others.map(partitionName).join(', ')}: a group is for one pipeline alone, so stop the other one or set source.kafka.groupId`,
    );
  }

  /** Nothing but kafkajs's own errors leaves it: kafkajs ends for good on others, without a word to us. */
  async #handle(payload: EachBatchPayload): Promise<void> {
    if (this.#isOver) return;
    const { batch } = payload;
    let lost: unknown = null;
    const { topic, partition } = batch;
    try {
      await this.#delivery.deliver(batch, {
        keepAlive: async () => {
          try {
            await payload.heartbeat();
          } catch (error) {
            lost = error;
          }
          return lost === null && !this.#isOver;
        },
        advance: (nextOffset) => {
          payload.resolveOffset(String(nextOffset - 1));
          this.#listener.moved();
        },
        seek: (nextOffset) => {
          this.#consumer.seek({ topic, partition, offset: String(nextOffset) });
        },
      });
      this.#restWhereDone(topic, partition);
    } catch (error) {
      this.#listener.failed(error);
    }
    if (lost !== null) throw lost as Error;
  }

  #passed({ topic, partition, lastOffset, highWatermark }: PassedBatch): void {
    const reading = this.#positions.find(topic, partition);
    const nextOffset = Number(lastOffset) + 1;
    if (reading === undefined || nextOffset <= reading.nextOffset) return;
    this.#delivery.skip(reading, nextOffset, Number(highWatermark));
    this.#restWhereDone(topic, partition);
    this.#listener.moved();
  }

  #restWhereDone(topic: string, partition: number): void {
    const reading = this.#positions.find(topic, partition);
    if (reading === undefined || isDone(reading)) this.#consumer.pause([{ topic, partitions: [partition] }]);
  }
}

interface PassedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly lastOffset: string;
  readonly highWatermark: string;
}

/**
 * What lies at the bottom of kafkajs's wrappings: our own error where there is one; trouble of brokers that passes
 * (`source.unavailable`); else what the next consumer may run into again (`source.crashed`).
 */
function causeOf(error: unknown): PipelineError {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof PipelineError) return at;
  return new SourceError(
    isRetriable(error) ? 'source.unavailable' : 'source.crashed',
    `the Kafka client stopped: ${messageOf(bottomOf(error))}`,
    { retriable: true, cause: error },
  );
}

/** So many bytes of each partition at the most that a fetch of all of them brings the usual amount. */
function bytesPerPartition(partitionCount: number): number {
  const share = Math.floor(usualFetchBytes / Math.max(1, partitionCount));
  return Math.min(partitionBytes.most, Math.max(partitionBytes.least, share));
}
