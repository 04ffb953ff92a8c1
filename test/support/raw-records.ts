import type { RecordBlock } from '../../src/records.ts';
import type { Source } from '../../src/sources/source.ts';

/** Key and value of one record, as they were written. */
export interface RawRecord {
  readonly key: string | null;
  readonly value: Buffer;
  readonly timestampMs: number;
}

/** Reads a bounded source to its end: the records of each partition in order. */
export async function rawRecords(source: Source): Promise<ReadonlyMap<number, readonly RawRecord[]>> {
  const partitions = new Map<number, RawRecord[]>();
  await source.blocks.forEach((block) => {
    const records = partitions.get(block.partition) ?? [];
    for (let index = 0; index < block.recordCount; index++) records.push(rawRecord(block, index));
    if (block.recordCount > 0) partitions.set(block.partition, records);
    block.release();
  });
  return new Map([...partitions].sort(([a], [b]) => a - b));
}

function rawRecord(block: RecordBlock, index: number): RawRecord {
  const range = (start: number, length: number): Buffer | null =>
    length < 0 ? null : Buffer.from(block.bytes.subarray(start, start + length));
  return {
    key: range(block.keyStarts[index]!, block.keyLengths[index]!)?.toString() ?? null,
    value: range(block.valueStarts[index]!, block.valueLengths[index]!) ?? Buffer.alloc(0),
    timestampMs: block.timestampsMs[index]!,
  };
}

/** What must not depend on how often a producer was stopped: keys and values by partition, without times. */
export function contentsOf(partitions: ReadonlyMap<number, readonly RawRecord[]>): readonly string[][] {
  return [...partitions].map(([partition, records]) =>
    records.map(({ key, value }) => `${partition} ${key ?? ''} ${value.toString('hex')}`),
  );
}
