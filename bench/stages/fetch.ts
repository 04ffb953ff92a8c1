import { kafkajs } from '../../src/sources/kafka/kafkajs.ts';
import { loadCompression } from '../../src/sources/record-batch/compression.ts';
import { fetchRecordCount, fetchTopics } from '../fetch-topics.ts';
import { measure, startClock, type Measurement, type Run } from '../measure.ts';
import { readSource } from '../read-source.ts';
import type { Stage, StageInput } from '../stages.ts';
import { jobConfig, sourceOf } from '../workload.ts';

/** kafkajs takes about eight times as long: it reads the first part only. */
const stockShare = 6;

/** The `kafka` source alone, and beside it kafkajs just as it is (but for codecs, which it has from here). */
export const fetchRecords: Stage = async (input) => {
  await loadCompression();
  const count = fetchRecordCount(input);
  const measurements: Measurement[] = [];
  for (const { name } of fetchTopics) {
    const config = jobConfig(input, sourceOf('kafka', name, input));
    measurements.push(await measure(name, input.repetition, () => readSource(config, count)));
    const stock = (): Promise<Run> => readStock(name, Math.ceil(count / stockShare), input);
    measurements.push(await measure(`${name}.kafkajs`, input.repetition, stock));
  }
  return measurements;
};

let groups = 0;

/** Reads at least so many records; the clock starts with the first fetch. */
async function readStock(topic: string, count: number, { bootstrap }: StageInput): Promise<Run> {
  const client = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING });
  const consumer = client.consumer({ groupId: `stock-${(groups += 1)}`, maxWaitTimeInMs: 500 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const run = await new Promise<Run>((resolve, reject) => {
    let clock: ReturnType<typeof startClock> | null = null;
    let records = 0;
    consumer.on(consumer.events.FETCH_START, () => {
      clock ??= startClock();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      reject(payload.error);
    });
    const eachBatch = ({ batch }: { batch: { messages: readonly unknown[] } }): Promise<void> => {
      records += batch.messages.length;
      if (records >= count && clock !== null) resolve(clock(records));
      return Promise.resolve();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return run;
}
