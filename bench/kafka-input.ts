import { kafkaSink } from '../src/cli/reading-sinks.ts';
import { serveBatches } from '../test/support/kafka/serve-batches.ts';
import { startKafka } from '../test/support/kafka/start-kafka.ts';
import { fetchTopicPartitions } from './fetch-topics.ts';
import type { StageInput } from './stages.ts';
import { fillTopic, partitions, topicRecords, topics } from './workload.ts';

/** Runs `work` beside a broker that holds all topics of the bench. */
export async function withKafka<T>(input: StageInput, work: (input: StageInput) => Promise<T>): Promise<T> {
  const kafka = await startKafka();
  try {
    const { bootstrap } = kafka;
    await serveBatches(kafka, await fetchTopicPartitions(input));
    const sink = await kafkaSink({ brokers: [bootstrap], topic: topics.short, partitions });
    await fillTopic(sink, topicRecords(input).short, input);
    return await work({ ...input, bootstrap });
  } finally {
    await kafka.stop();
  }
}
