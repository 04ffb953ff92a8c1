import { ConfigError } from '../errors.ts';
import type { ReadingSink } from '../sensors/play-readings.ts';
import type { KafkaConnection } from '../sources/kafka/kafka-connection.ts';
import { LogWriter } from '../sources/log/log-writer.ts';
import { listPartitions } from '../sources/log/partition-directory.ts';
import type { Codec } from '../sources/record-batch/compression.ts';

export interface LogSinkOptions {
  readonly dir: string;
  readonly topic: string;
  /** Partitions of a topic that is made; by default 1, or as many as there are. */
  readonly partitions?: number | undefined;
  readonly compression?: Codec | undefined;
}

/**
 * A topic of an embedded log to play readings into, made where it is missing.
 * @throws ConfigError `config.incompatible` where the topic has records in another number of partitions; SourceError as
 * `LogWriter` does.
 */
export async function logSink(options: LogSinkOptions): Promise<ReadingSink> {
  const { dir, topic, compression = 'none' } = options;
  const found = listPartitions(dir, topic).length;
  const partitions = options.partitions ?? Math.max(found, 1);
  const writers: LogWriter[] = [];
  const close = (): Promise<void> => {
    for (const writer of writers) writer.close();
    return Promise.resolve();
  };
  const openUpTo = async (count: number): Promise<void> => {
    while (writers.length < count) {
      writers.push(await LogWriter.open({ dir, topic, partition: writers.length, compression }));
    }
  };
  try {
    await openUpTo(found);
    // A topic without a record may be half made: a run was killed before its first one.
    if (found > partitions || (found < partitions && writers.some((writer) => writer.nextOffset > 0))) {
      throw otherPartitions(topic, found, partitions);
    }
    await openUpTo(partitions);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    partitions,
    nextOffsets: () => Promise.resolve(writers.map((writer) => writer.nextOffset)),
    append: (records) => {
      for (const [partition, run] of records) writers[partition]?.append(run);
      return Promise.resolve();
    },
    close,
  };
}

export interface KafkaSinkOptions extends KafkaConnection {
  readonly topic: string;
  /** Partitions of a topic that is made; by default 1. */
  readonly partitions?: number | undefined;
  readonly compression?: Codec | undefined;
}

/** For how long a call goes on while no broker answers. */
const connectTimeoutMs = 30_000;

/**
 * A Kafka topic to play readings into, made where it is missing.
 * @throws ConfigError `config.incompatible` where the topic has another number of partitions than asked for;
 * PipelineError `source.unavailable` where no broker answers.
 */
export async function kafkaSink(options: KafkaSinkOptions): Promise<ReadingSink> {
  const { brokers, tls, sasl, topic, compression } = options;
  const { kafkaWriter } = await import('../sources/kafka/kafka-writer.ts');
  const writer = kafkaWriter({
    brokers,
    tls,
    sasl,
    topic,
    partitions: options.partitions ?? 1,
    codec: compression,
    connectTimeoutMs,
  });
  try {
    const partitions = (await writer.endOffsets()).length;
    if (options.partitions !== undefined && options.partitions !== partitions) {
      throw otherPartitions(topic, partitions, options.partitions);
    }
    return {
      partitions,
      nextOffsets: () => writer.endOffsets(),
      append: (records) => writer.sendTo(records),
      close: () => writer.close(),
    };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** A key must stay in its partition. */
function otherPartitions(topic: string, found: number, asked: number): ConfigError {
  return new ConfigError(
    'config.incompatible',
    `--partitions: ${asked} asked for, but ${topic} has ${found}; leave the option out or write to another topic`,
    { context: { key: '--partitions', value: asked } },
  );
}
