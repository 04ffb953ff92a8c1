import { after, test } from 'node:test';
import { Credit } from '../../src/sources/credit.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import type { Source } from '../../src/sources/source.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { sourceContract } from '../contracts/source-contract.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';

const partitionCount = 3;
const skip = missing('kafka-4.3.1');
let server: Promise<KafkaServer> | null = null;
let streams = 0;

after(async () => {
  await (await server)?.stop();
});

if (skip === undefined) {
  sourceContract('kafkaSource', async () => {
    const { bootstrap } = await (server ??= startKafka());
    const topic = `contract-${(streams += 1)}`;
    const brokers = [bootstrap];
    const writer = kafkaWriter({ brokers, topic, partitions: partitionCount, connectTimeoutMs: 10_000 });
    await writer.endOffsets();
    const sources: Source[] = [];
    return {
      topic,
      partitionCount,
      canFollow: true,
      write: (records) =>
        writer.send(
          records.map(({ partition, value, timestampMs }) => ({
            partition,
            key: null,
            value: Buffer.from(value),
            headers: [],
            timestampMs,
          })),
        ),
      make: ({ creditBytes, ...options }) => {
        const source = kafkaSource(
          {
            ...options,
            brokers,
            topics: [topic],
            groupId: `group-${topic}-${sources.length}`,
            start: 'earliest',
            onOutOfRange: 'stop',
            connectTimeoutMs: 10_000,
            credit: new Credit(creditBytes),
          },
          silentTelemetry,
        );
        sources.push(source);
        return source;
      },
      cleanup: async () => {
        await writer.close();
        await Promise.all(sources.map((source) => source.close()));
      },
    };
  });
} else {
  test('the source contract on a real broker', { skip });
}
