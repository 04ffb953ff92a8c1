import { SourceError, messageOf } from '../../errors.ts';
import type { Position } from '../../records.ts';
import { brokersOf, kafkaClient, type KafkaClient, type KafkaConnection } from './kafka-connection.ts';
import type { KafkaCluster } from './kafkajs.ts';

/** Offsets that can be read: from the first one up to, and without, the read-committed end. */
export interface PartitionRange {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly endOffset: number;
}

/**
 * Asks brokers about topics over a connection of its own, so that it works while the consumer is in trouble.
 * Every call tries once. @throws SourceError `source.unavailable`, retriable, whose message says what to look at.
 */
export class PartitionOffsets {
  readonly #connection: KafkaConnection;
  readonly #topics: readonly string[];
  #open: { readonly client: KafkaClient; readonly cluster: KafkaCluster } | null = null;

  constructor(connection: KafkaConnection, topics: readonly string[]) {
    this.#connection = connection;
    this.#topics = topics;
  }

  /** Every partition of every topic. */
  ranges(): Promise<readonly PartitionRange[]> {
    return this.#ask(async (cluster) => {
      const [first, end] = [await this.#offsets(cluster, earliest), await this.#offsets(cluster, latest)];
      return [...first].map(([name, { topic, partition, offset }]) => ({
        topic,
        partition,
        firstOffset: offset,
        endOffset: end.get(name)?.offset ?? offset,
      }));
    });
  }

  /** By `topic:partition`, the first offset whose timestamp is not before `timeMs`; -1 where there is none. */
  async at(timeMs: number): Promise<ReadonlyMap<string, number>> {
    const offsets = await this.#ask((cluster) => this.#offsets(cluster, timeMs));
    return new Map([...offsets].map(([name, { offset }]) => [name, offset]));
  }

  close(): void {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    open.client.destroy();
    open.cluster.disconnect().catch(() => undefined);
  }

  async #ask<T>(question: (cluster: KafkaCluster) => Promise<T>): Promise<T> {
    try {
      const cluster = await this.#connected();
      return await question(cluster);
    } catch (error) {
      this.close();
      if (error instanceof SourceError || (error instanceof Error && error.name === 'ConfigError')) throw error;
      throw this.#unavailable(error);
    }
  }

  async #connected(): Promise<KafkaCluster> {
    if (this.#open === null) {
      const client = kafkaClient(this.#connection, 'none');
      this.#open = { client, cluster: client.cluster() };
      await this.#open.cluster.connect();
      await this.#open.cluster.addMultipleTargetTopics(this.#topics);
    } else {
      await this.#open.cluster.refreshMetadata();
    }
    return this.#open.cluster;
  }

  async #offsets(cluster: KafkaCluster, fromTimestamp: number): Promise<Map<string, PartitionOffset>> {
    const answers = await cluster.fetchTopicsOffset(
      this.#topics.map((topic) => ({
        topic,
        fromTimestamp,
        partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId })),
      })),
    );
    const offsets = answers.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
    );
    offsets.sort((a, b) => this.#topics.indexOf(a.topic) - this.#topics.indexOf(b.topic) || a.partition - b.partition);
    return new Map(offsets.map((offset) => [`${offset.topic}:${offset.partition}`, offset]));
  }

  #unavailable(error: unknown): SourceError {
    const isMissing = error instanceof Error && 'type' in error && error.type === 'UNKNOWN_TOPIC_OR_PARTITION';
    const topics = this.#topics.join(', ');
    const message = isMissing
      ? `no such topic at ${brokersOf(this.#connection)}: ${topics}${this.#topics.length > 1 ? ' (one of them)' : ''}. It is read as soon as it exists`
      : `cannot reach Kafka at ${brokersOf(this.#connection)}: ${messageOf(error)}. Check source.kafka.brokers, tls and sasl, and that the broker runs`;
    return new SourceError('source.unavailable', message, { retriable: true, cause: error });
  }
}

/** Sets the committed offsets of a group that has no member, over a connection of its own. */
export async function commitToEmptyGroup(
  connection: KafkaConnection,
  groupId: string,
  positions: readonly Position[],
): Promise<void> {
  const client = kafkaClient(connection, 'none');
  const cluster = client.cluster();
  try {
    await cluster.connect();
    // Without metadata kafkajs knows no broker that it could ask for the coordinator.
    await cluster.addMultipleTargetTopics([...new Set(positions.map(({ topic }) => topic))]);
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    const topics = positions.map(({ topic, partition, nextOffset }) => ({
      topic,
      partitions: [{ partition, offset: String(nextOffset) }],
    }));
    await coordinator.offsetCommit({ groupId, groupGenerationId: -1, memberId: '', topics });
  } finally {
    client.destroy();
  }
}

interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

const earliest = -2;
const latest = -1;
