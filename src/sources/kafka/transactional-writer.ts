import { setTimeout as delay } from 'node:timers/promises';
import { SourceError } from '../../errors.ts';
import type { Position } from '../../records.ts';
import { loadCompression } from '../record-batch/compression.ts';
import { coordinatorRefusal } from './coordinator-refusal.ts';
import { brokersOf, kafkaClient, type KafkaConnection } from './kafka-connection.ts';
import { bottomOf, refusalOf } from './kafka-errors.ts';
import type { Admin, Producer, Transaction } from './kafkajs.ts';
import {
  createMissing,
  pinningPartitioner,
  sends,
  type OutgoingRecord,
  type OutgoingTopic,
} from './outgoing-records.ts';
import { transactionError } from './transaction-error.ts';

export interface TransactionalWriterOptions extends KafkaConnection {
  /** The group whose offsets are committed with what is written; the transactional id as well, so that there is one writer. */
  readonly groupId: string;
  /** The topic that the group reads. */
  readonly from: string;
  /** Topics to write to; one without a number of partitions gets as many as `from` has. */
  readonly topics: readonly OutgoingTopic[];
  /** Cuts every connection when it aborts: what is under way fails. */
  readonly signal: AbortSignal;
}

/** Records for one topic. */
export interface AddressedRecords {
  readonly topic: string;
  readonly records: readonly OutgoingRecord[];
}

/**
 * Writes records and the positions that they come from in one transaction, so that a read-committed reader sees what each
 * input record gave once. After an error it is of no use: only a new one knows what was committed.
 */
export interface TransactionalWriter {
  /** Where reading goes on: the ends of the last transaction. Partitions that no transaction has named are absent. */
  readonly positions: readonly Position[];
  /** @throws PipelineError, retriable where a new writer may do better; the transaction may have been committed all the same. */
  write(outputs: readonly AddressedRecords[], positions: readonly Position[]): Promise<void>;
  close(): Promise<void>;
}

/** A writer that is gone holds readers up for so long at the most. */
const transactionTimeoutMs = 20_000;
/** For connections that do not end by themselves. */
const closeMs = 1000;

/**
 * Takes the transactional id, which ends what a writer before left open and shuts out one that still lives; then reads how
 * far the group has come, and makes the topics that are missing.
 * @throws PipelineError where the cluster is away, which is retriable, or refuses.
 */
export async function openTransactions(options: TransactionalWriterOptions): Promise<TransactionalWriter> {
  const client = kafkaClient(options, 'brief');
  const failure = (error: unknown, elapsedMs: number): unknown =>
    transactionError(error, {
      brokers: brokersOf(options),
      groupId: options.groupId,
      from: options.from,
      topics: options.topics.map(({ topic }) => topic),
      elapsedMs,
      timeoutMs: transactionTimeoutMs,
    });
  const admin = client.kafka.admin();
  const producer = client.kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: pinningPartitioner,
    transactionalId: options.groupId,
    transactionTimeout: transactionTimeoutMs,
  });
  const cut = (): void => {
    client.destroy();
  };
  options.signal.addEventListener('abort', cut, { once: true });
  const close = async (): Promise<void> => {
    const ended = Promise.all([producer.disconnect(), admin.disconnect()]).catch(() => undefined);
    await Promise.race([ended, delay(closeMs, undefined, { ref: false })]);
    options.signal.removeEventListener('abort', cut);
    cut();
  };
  try {
    await loadCompression();
    await Promise.all([producer.connect(), admin.connect()]);
    await takeTransactionalId(producer);
    const offsets = await committedOffsets(admin, options);
    const { topics } = options;
    await createMissing(
      admin,
      topics.map((topic) => ({ partitions: offsets.length, ...topic })),
    );
    return {
      positions: offsets.filter(({ nextOffset }) => nextOffset >= 0),
      write: async (outputs, positions) => {
        const beganMs = performance.now();
        try {
          const transaction = await producer.transaction();
          await inOneTransaction(transaction, outputs, options.groupId, positions).catch(async (error: unknown) => {
            throw await refusalBehind(error, transaction);
          });
        } catch (error) {
          throw failure(error, performance.now() - beganMs);
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw failure((await coordinatorRefusalBehind(error, options)) ?? error, 0);
  }
}

async function coordinatorRefusalBehind(error: unknown, options: TransactionalWriterOptions): Promise<unknown> {
  const bottom = bottomOf(error);
  const isHidden = bottom instanceof Error && bottom.name === 'KafkaJSGroupCoordinatorNotFound';
  return isHidden ? coordinatorRefusal(options, options.groupId) : null;
}

async function takeTransactionalId(producer: Producer): Promise<void> {
  const nothing = await producer.transaction();
  await nothing.abort();
}

async function committedOffsets(admin: Admin, options: TransactionalWriterOptions): Promise<readonly Position[]> {
  const { groupId, from: topic } = options;
  if (!(await admin.listTopics()).includes(topic)) {
    const message = `no such topic at ${brokersOf(options)}: ${topic}. It is read as soon as it exists`;
    throw new SourceError('source.unavailable', message, { retriable: true });
  }
  const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const positions = offsets?.partitions.map(({ partition, offset }) => ({
    topic,
    partition,
    nextOffset: Number(offset),
    epoch: -1,
  }));
  return positions ?? [];
}

async function inOneTransaction(
  transaction: Transaction,
  outputs: readonly AddressedRecords[],
  groupId: string,
  positions: readonly Position[],
): Promise<void> {
  for (const { topic, records } of outputs) {
    for (const messages of sends(records)) await transaction.send({ topic, acks: -1, messages });
  }
  await afterTheLast(() => transaction.sendOffsets({ consumerGroupId: groupId, topics: offsetsByTopic(positions) }));
  await transaction.commit();
}

/**
 * Kafka 4 answers that it knows no reason where a writer that has been shut out meanwhile sends its offsets. Whoever asks to
 * end the transaction is told.
 */
async function refusalBehind(error: unknown, transaction: Transaction): Promise<Error> {
  let reason = error;
  if (refusalOf(error) === 'UNKNOWN' && transaction.isActive()) {
    await transaction.abort().catch((refusal: unknown) => (reason = refusal));
  }
  return reason as Error;
}

/** The broker may still be ending the transaction before; kafkajs waits for that in `send` alone. */
async function afterTheLast(call: () => Promise<void>): Promise<void> {
  for (let pauseMs = 10; ; pauseMs *= 2) {
    try {
      await call();
      return;
    } catch (error) {
      if (refusalOf(error) !== 'CONCURRENT_TRANSACTIONS' || pauseMs > 1000) throw error;
      await delay(pauseMs);
    }
  }
}

function offsetsByTopic(positions: readonly Position[]) {
  const topics = [...new Set(positions.map(({ topic }) => topic))];
  return topics.map((topic) => ({
    topic,
    partitions: positions
      .filter((position) => position.topic === topic)
      .map(({ partition, nextOffset }) => ({ partition, offset: String(nextOffset) })),
  }));
}
