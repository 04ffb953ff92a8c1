import { servedLog } from './log-input.ts';
import { serveBatches } from '../test/support/kafka/serve-batches.ts';
import { startKafka } from '../test/support/kafka/start-kafka.ts';
import { fetchTopicPartitions } from './fetch-topics.ts';
import type { StageInput } from './stages.ts';
import { topics } from './workload.ts';

/** Runs `work` beside a broker that holds the topics that are fetched, and copies of topics of the embedded log. */
export async function withKafka<T>(
  input: StageInput,
  work: (input: StageInput) => Promise<T>,
  copies: readonly string[] = [topics.long],
): Promise<T> {
  const kafka = await startKafka();
  try {
    const { bootstrap } = kafka;
    const copied = copies.flatMap((topic) => servedLog(input.logDir, topic));
    await serveBatches(kafka, [...(await fetchTopicPartitions(input)), ...copied]);
    return await work({ ...input, bootstrap });
  } finally {
    await kafka.stop();
  }
}
