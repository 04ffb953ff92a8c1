import kafkajs, { type IHeaders, type KafkaMessage } from 'kafkajs';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { codecs, decompress, loadCompression } from '../../../src/sources/record-batch/compression.ts';

/** What stock kafkajs says of a record, in a form that travels as JSON. */
export interface StockRecord {
  readonly offset: number;
  readonly timestampMs: number;
  /** SHA-256 of the bytes, null of null. */
  readonly key: string | null;
  readonly value: string | null;
  /** By key in the order of its first appearance, as kafkajs groups them. */
  readonly headers: readonly (readonly [string, string | null])[];
}

export function digest(bytes: Uint8Array | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : createHash('sha256').update(bytes).digest('base64url');
}

async function read(bootstrap: string, topic: string, end: number): Promise<readonly StockRecord[]> {
  await loadCompression();
  const registry = kafkajs.CompressionCodecs as unknown as Record<number, unknown>;
  for (const [type, codec] of codecs.entries()) {
    // gzip is kafkajs's own.
    if (codec === 'none' || codec === 'gzip') continue;
    registry[type] = () => ({ decompress: (bytes: Buffer) => Promise.resolve(decompress(codec, bytes)) });
  }
  const client = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.ERROR });
  const consumer = client.consumer({ groupId: `stock-${topic}`, retry: { retries: 0 }, maxWaitTimeInMs: 100 });
  const records: StockRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      reject(payload.error);
    });
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (Number(payload.lastOffset) + 1 >= end) resolve();
    });
    void consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        for (const message of batch.messages) records.push(recordOf(message));
        return Promise.resolve();
      },
    });
  });
  await consumer.disconnect();
  return records;
}

function recordOf({ offset, timestamp, key, value, headers }: KafkaMessage): StockRecord {
  return {
    offset: Number(offset),
    timestampMs: Number(timestamp),
    key: digest(key),
    value: digest(value),
    headers: headersOf(headers ?? {}),
  };
}

function headersOf(headers: IHeaders): StockRecord['headers'] {
  return Object.entries(headers).flatMap(([key, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => [key, digest(bytesOf(value))] as const),
  );
}

/** kafkajs gives null for a null header, whatever its types say. */
function bytesOf(value: Buffer | string | null | undefined): Uint8Array | null {
  return value === undefined || value === null ? null : Buffer.from(value);
}

const file = fileURLToPath(import.meta.url);

/**
 * Reads a topic of one partition up to offset `end` with kafkajs just as it is: in a process of its own, so that nothing
 * that Millrace does to kafkajs reaches it, and with a stack on which its decoder survives a long batch.
 */
export async function readStock(bootstrap: string, topic: string, end: number): Promise<readonly StockRecord[]> {
  const args = ['--stack-size=6000', '--import', 'tsx', file, bootstrap, topic, String(end)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 30, timeout: 60_000 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StockRecord);
}

const [, program, bootstrap = '', topic = '', end = ''] = process.argv;
if (program === file) {
  const records = await read(bootstrap, topic, Number(end));
  process.stdout.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}
