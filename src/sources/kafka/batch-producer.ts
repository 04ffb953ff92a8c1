import { createRequire } from 'node:module';
import type { KafkaBroker, KafkaCluster, KafkaExchange } from './kafkajs.ts';

/** What the broker knows a producer by: it takes each sequence number of a partition once. */
export interface ProducerIdentity {
  readonly id: number;
  readonly epoch: number;
}

/** A record batch on its way into a partition. */
export interface PartitionBatch {
  readonly partition: number;
  readonly bytes: Buffer;
}

/** kafkajs's writer of a request. */
interface Encoder {
  writeString(text: string | null): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeBytes(bytes: Buffer): Encoder;
  writeArray(items: readonly Encoder[]): Encoder;
}

interface Produce {
  readonly versions: readonly string[];
  protocol(at: { readonly version: number }): (request: object) => KafkaExchange;
}

const require = createRequire(import.meta.url);
const KafkaEncoder = require('kafkajs/src/protocol/encoder.js') as new () => Encoder;
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys.js') as { readonly Produce: number };
const kafkaProduce = require('kafkajs/src/protocol/requests/produce/index.js') as Produce;

/** All in-sync replicas. */
const acks = -1;
/** For how long the broker waits for them. */
const ackTimeoutMs = 30_000;
/** Of no meaning without transactions. */
const transactionTimeout = 60_000;

/** Asks for an identity that no other producer has. */
export async function newIdentity(cluster: KafkaCluster): Promise<ProducerIdentity> {
  const broker = await cluster.findControllerBroker();
  const { producerId, producerEpoch } = await broker.initProducerId({ transactionTimeout });
  return { id: Number(producerId), epoch: producerEpoch };
}

/**
 * Sends at most one batch for each partition, all of a broker in one request, and resolves when every in-sync replica has
 * them. kafkajs makes an object and three buffers for each record, and copies the array of a partition once for each; here it
 * is given whole batches, with its own request around them and its own reader of the answer.
 * @throws as kafkajs does; some of the batches may have been written, and sent again they are not written twice.
 */
export async function produceBatches(
  cluster: KafkaCluster,
  topic: string,
  batches: readonly PartitionBatch[],
): Promise<void> {
  const leaders = cluster.findLeaderForPartitions(
    topic,
    batches.map(({ partition }) => partition),
  );
  // kafkajs leaves out those that its metadata does not have.
  const led = Object.values(leaders).flat().length;
  if (led < batches.length) throw new Error(`${batches.length - led} of ${batches.length} partitions are not known`);
  await Promise.all(
    Object.entries(leaders).map(async ([nodeId, partitions]) => {
      const broker = await cluster.findBroker({ nodeId });
      await broker.connectionPool.send(
        produceRequest(
          broker,
          topic,
          batches.filter(({ partition }) => partitions.includes(partition)),
        ),
      );
    }),
  );
}

function produceRequest(broker: KafkaBroker, topic: string, batches: readonly PartitionBatch[]): KafkaExchange {
  const { request, response } = broker.lookupRequest(
    apiKeys.Produce,
    kafkaProduce,
  )({ acks, timeout: ackTimeoutMs, topicData: [] });
  const encode = (): Promise<Encoder> => {
    const partitions = batches.map(({ partition, bytes }) =>
      new KafkaEncoder().writeInt32(partition).writeBytes(bytes),
    );
    const data = new KafkaEncoder().writeString(topic).writeArray(partitions);
    const none = null; // transactional id
    return Promise.resolve(
      new KafkaEncoder().writeString(none).writeInt16(acks).writeInt32(ackTimeoutMs).writeArray([data]),
    );
  };
  return { request: { ...request, encode }, response };
}
