import { createRequire } from 'node:module';
import kafkajs, { type PartitionMetadata } from 'kafkajs';
import { codecs, compress, decompress } from '../record-batch/compression.ts';
import { hideAborted, type FetchedMessage } from './aborted-records.ts';
import { installColumnarFetch, type KafkaConnectionClass } from './columnar-fetch.ts';
import { stopIdleTimers, type RequestQueueClass } from './idle-timers.ts';

export { kafkajs };
export type * from 'kafkajs';

/** The part of kafkajs's inner cluster that is used here. */
export interface KafkaCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Loads the metadata of these topics too. */
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  findControllerBroker(): Promise<KafkaBroker>;
  findBroker(node: { readonly nodeId: string }): Promise<KafkaBroker>;
  /** Partitions by the node id of their leader. @throws where the metadata knows of none */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findGroupCoordinator(group: { readonly groupId: string }): Promise<KafkaCoordinator>;
  readonly brokerPool: { findConnectedBroker(): Promise<KafkaBroker> };
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  /** By isolation level of the cluster; `fromTimestamp` -2 is the first offset, -1 the end. */
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly fromTimestamp: number;
      readonly partitions: readonly { readonly partition: number }[];
    }[],
  ): Promise<
    readonly { readonly topic: string; readonly partitions: readonly { partition: number; offset: string }[] }[]
  >;
}

/** A request, and how its answer is read. */
export interface KafkaExchange {
  readonly request: { readonly apiKey: number; readonly encode: () => Promise<unknown> };
  readonly response: object;
}

/** The parts of kafkajs's inner broker that are used. */
export interface KafkaBroker {
  initProducerId(options: {
    readonly transactionTimeout: number;
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
  /** The newest version of a request that both sides know. */
  lookupRequest<Make>(
    apiKey: number,
    definition: {
      readonly versions: readonly string[];
      protocol(at: { readonly version: number }): Make;
    },
  ): Make;
  readonly connectionPool: { send(exchange: KafkaExchange): Promise<unknown> };
  /** Of a group (type 0) or a transactional id (type 1). */
  findGroupCoordinator(of: { readonly groupId: string; readonly coordinatorType: 0 | 1 }): Promise<unknown>;
}

/** The broker that keeps a group's offsets. */
export interface KafkaCoordinator {
  offsetCommit(commit: {
    readonly groupId: string;
    /** -1 and empty: by no member, which an empty group allows. */
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[];
  }): Promise<unknown>;
}

interface FetchResponse {
  readonly responses: readonly {
    readonly partitions: readonly PartitionResponse[];
  }[];
}

interface PartitionResponse {
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly FetchedMessage[];
}

interface KafkaCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

interface BrokerClass {
  prototype: { fetch: (request: unknown) => Promise<FetchResponse> };
}

const require = createRequire(import.meta.url);
const { version } = require('kafkajs/package.json') as { readonly version: string };
/** Socket factories of the clients whose fetches are decoded to record sets. */
const columnarFactories = new WeakSet<object>();
/** Null, or in a sentence why no client's fetches are. */
export const whyNotColumnar = installColumnarFetch(
  require('kafkajs/src/network/connection.js') as KafkaConnectionClass,
  version,
  columnarFactories,
);

stopIdleTimers(require('kafkajs/src/network/requestQueue/index.js') as RequestQueueClass);

/** Makes the client with this socket factory fetch record sets in place of messages, where that is possible. */
export function fetchInColumns(socketFactory: object): void {
  columnarFactories.add(socketFactory);
}

export const Cluster = require('kafkajs/src/cluster/index.js') as new (
  options: Readonly<Record<string, unknown>>,
) => KafkaCluster;

// kafkajs has gzip alone, and that without a limit; a producer may use any codec.
const registry = kafkajs.CompressionCodecs as unknown as Record<number, () => KafkaCodec>;
for (const [type, codec] of codecs.entries()) {
  if (codec === 'none') continue;
  registry[type] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) => Promise.resolve(compress(codec, encoder.buffer)),
    // Within a promise: an error here belongs to the fetch, not to whoever made the codec.
    decompress: (bytes: Buffer) =>
      new Promise((resolve) => {
        resolve(decompress(codec, bytes));
      }),
  });
}

// kafkajs's own filter takes a data record with key 00000000 (an int32 zero) for an abort marker, and loses track of
// overlapping aborted transactions where a fetch starts within them. Here each response is filtered before it looks.
// Of record sets, which have their own filter, it sees no transaction.
const { prototype } = require('kafkajs/src/broker/index.js') as BrokerClass;
const { fetch } = prototype;
prototype.fetch = async function fetchCommitted(request) {
  const response = await fetch.call(this, request);
  for (const { partitions } of response.responses) {
    for (const partition of partitions) {
      const transactions = partition.abortedTransactions ?? [];
      hideAborted(
        partition.messages,
        transactions.map((each) => ({ producerId: Number(each.producerId), firstOffset: Number(each.firstOffset) })),
      );
      partition.abortedTransactions = [];
    }
  }
  return response;
};
