import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { until } from './read-source.ts';
import type { KafkaServer } from './start-kafka.ts';

/** What one partition is to hold: record batches one behind the other, from offset 0 on. */
export interface ServedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

/**
 * Makes the broker serve record batches just as they are, past the checks and limits that it has for producers: they
 * are written into its own files while it is down. Topics are created.
 */
export async function serveBatches(kafka: KafkaServer, partitions: readonly ServedPartition[]): Promise<void> {
  await createTopics(kafka, partitions);
  await kafka.shutDown();
  for (const { topic, partition, bytes } of partitions) {
    const directory = join(kafka.dataDir, `${topic}-${partition}`);
    // Indexes of the empty segment would hide what is put into it; the broker makes new ones.
    for (const name of readdirSync(directory)) if (/index|snapshot$/.test(name)) rmSync(join(directory, name));
    writeFileSync(join(directory, `${'0'.repeat(20)}.log`), bytes);
  }
  await kafka.restart();
}

async function createTopics(kafka: KafkaServer, partitions: readonly ServedPartition[]): Promise<void> {
  const counts = new Map<string, number>();
  for (const { topic, partition } of partitions) counts.set(topic, Math.max(counts.get(topic) ?? 0, partition + 1));
  const admin = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [...counts].map(([topic, numPartitions]) => ({ topic, numPartitions })),
    waitForLeaders: true,
  });
  await admin.disconnect();
  // The topic's metadata knows of a leader before the leader has made the files.
  const isMade = ({ topic, partition }: ServedPartition): boolean =>
    existsSync(join(kafka.dataDir, `${topic}-${partition}`, 'partition.metadata'));
  await until(() => partitions.every(isMade), 'folders of all partitions');
}
