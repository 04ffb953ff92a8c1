import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logSink } from '../src/cli/reading-sinks.ts';
import { listPartitions, partitionDirectory } from '../src/sources/log/partition-directory.ts';
import type { ServedPartition } from '../test/support/kafka/serve-batches.ts';
import type { StageInput } from './stages.ts';
import { fillTopic } from './workload.ts';

/** Makes a topic of the embedded log with so many readings. */
export async function fillLog(topic: string, partitions: number, records: number, input: StageInput): Promise<void> {
  await fillTopic(await logSink({ dir: input.logDir, topic, partitions }), records, input);
}

/** What a broker is to serve as the same topic: its format is the log's. */
export function servedLog(dir: string, topic: string): readonly ServedPartition[] {
  return listPartitions(dir, topic).map((partition) => {
    const folder = partitionDirectory(dir, topic, partition);
    const segments = readdirSync(folder).filter((name) => name.endsWith('.log'));
    const bytes = Buffer.concat(segments.sort().map((name) => readFileSync(join(folder, name))));
    return { topic, partition, bytes };
  });
}
