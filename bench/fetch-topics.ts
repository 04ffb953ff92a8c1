import { codecs, loadCompression, type Codec } from '../src/sources/record-batch/compression.ts';
import { encodeBatch, stampBatch } from '../src/sources/record-batch/encode-batch.ts';
import type { ServedPartition } from '../test/support/kafka/serve-batches.ts';
import type { StageInput } from './stages.ts';
import { encodedReadings } from './workload.ts';

/** A topic that is only fetched: 88-byte values in batches of 180, about 16 KiB before compression as Java's producer makes them. */
export interface FetchTopic {
  readonly name: string;
  readonly codec: Codec;
  readonly partitions: number;
}

export const fetchTopics: readonly FetchTopic[] = codecs.flatMap((codec) =>
  [1, 8].map((partitions) => ({ name: `fetch.${codec}.${partitions}`, codec, partitions })),
);

const valueBytes = 88;
const batchRecords = 180;
/** Every topic holds the same run of batches so many times. */
const copies = 8;

const batchesPerCopy = ({ isShort }: StageInput): number => (isShort ? 5 : 700);

/** Records that each of the topics holds. */
export function fetchRecordCount(input: StageInput): number {
  return copies * batchesPerCopy(input) * batchRecords;
}

/** What a broker is to serve as these topics. */
export async function fetchTopicPartitions(input: StageInput): Promise<readonly ServedPartition[]> {
  await loadCompression();
  const runs = new Map(codecs.map((codec) => [codec, encodedRun(codec, input)]));
  return fetchTopics.flatMap(({ name, codec, partitions }) => {
    const bytes = placed(runs.get(codec) ?? [], copies / partitions);
    return Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, bytes }));
  });
}

function encodedRun(codec: Codec, input: StageInput): readonly Buffer[] {
  const text = Buffer.concat(encodedReadings('avro', input));
  return Array.from({ length: batchesPerCopy(input) }, (_, batch) => {
    const records = Array.from({ length: batchRecords }, (__, index) => {
      const n = batch * batchRecords + index;
      const start = (n * valueBytes) % (text.length - valueBytes);
      return { key: null, value: text.subarray(start, start + valueBytes), timestampMs: 1_700_000_000_000 + n };
    });
    return encodeBatch(records, codec);
  });
}

/** The batches as often as wanted, each time behind the last. */
function placed(run: readonly Buffer[], times: number): Buffer {
  const all = Array.from({ length: times }, () => run).flat();
  return Buffer.concat(
    all.map((batch, index) => {
      stampBatch(batch, index * batchRecords, 0);
      return Buffer.from(batch);
    }),
  );
}
