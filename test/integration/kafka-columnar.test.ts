import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { lastValueFrom, tap } from 'rxjs';
import type { RecordBlock } from '../../src/records.ts';
import { Credit } from '../../src/sources/credit.ts';
import type { KafkaSourceOptions } from '../../src/sources/kafka/kafka-options.ts';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.ts';
import { kafkaWriter } from '../../src/sources/kafka/kafka-writer.ts';
import type { OutgoingRecord } from '../../src/sources/kafka/outgoing-records.ts';
import { kafkajs } from '../../src/sources/kafka/kafkajs.ts';
import { fieldAt, headerBytes, lengthPrefixBytes } from '../../src/sources/record-batch/batch-header.ts';
import { codecs, loadCompression, maxBatchBytes } from '../../src/sources/record-batch/compression.ts';
import { encodeBatch, type LogRecord } from '../../src/sources/record-batch/encode-batch.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { recrc, segmentOf, textRecord } from '../sources/record-batch/batches.ts';
import { readAll } from '../support/kafka/read-source.ts';
import { serveBatches } from '../support/kafka/serve-batches.ts';
import { startKafka, type KafkaServer } from '../support/kafka/start-kafka.ts';
import { digest, readStock, type StockRecord } from '../support/kafka/stock-reader.ts';
import { missing } from '../support/requirements.ts';

const baseMs = Date.UTC(2013, 0, 1);

/** Every kind of key, value and headers that there is. */
function varied(index: number): LogRecord {
  const headers = [
    { key: 'trace', value: Buffer.from(`id-${index}`) },
    { key: 'none', value: null },
    { key: 'trace', value: Buffer.from([index % 256, 0, 255]) },
    { key: 'ünïcode', value: Buffer.alloc(0) },
  ];
  return {
    key: index % 3 === 0 ? null : Buffer.from(`key-${index % 50}`),
    value: index % 11 === 0 ? null : Buffer.from(`value ${index} `.repeat(index % 9)),
    timestampMs: baseMs + ((index * 7919) % 100_000),
    headers: index % 5 === 0 ? headers.slice(0, index % 4) : [],
  };
}

const variedRecords = (count: number): LogRecord[] => Array.from({ length: count }, (_, index) => varied(index));

/** A batch of which compaction has left the header: it covers `count` offsets. */
function emptied(count: number): Buffer {
  const header = Buffer.from(encodeBatch([textRecord('x')]).subarray(0, headerBytes));
  header.writeInt32BE(headerBytes - lengthPrefixBytes, fieldAt.length);
  header.writeInt32BE(count - 1, fieldAt.lastOffsetDelta);
  header.writeInt32BE(0, fieldAt.recordCount);
  return recrc(header);
}

/** A batch whose records decompress to so many zeros. */
function bomb(rawBytes: number): Buffer {
  const head = Buffer.from(encodeBatch([textRecord('x')]).subarray(0, headerBytes));
  const batch = Buffer.concat([head, gzipSync(Buffer.alloc(rawBytes))]);
  batch.writeInt32BE(batch.length - lengthPrefixBytes, fieldAt.length);
  batch.writeInt16BE(1, fieldAt.attributes);
  return recrc(batch);
}

/** Damages a file that a broker has open: at its start it would find that out itself. */
function flipBit(file: string, at: number): void {
  const fd = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Buffer.from([byte[0]! ^ 1]), 0, 1, at);
  closeSync(fd);
}

const good = (): Buffer => encodeBatch([textRecord('good')]);

describe('columns of a real broker against kafkajs just as it is', { skip: missing('kafka-4.3.1') ?? false }, () => {
  let kafka: KafkaServer;

  before(async () => {
    await loadCompression();
    kafka = await startKafka({ config: { 'log.cleaner.backoff.ms': '100' } });
    const serve = (topic: string, batches: readonly Buffer[]) => ({ topic, partition: 0, bytes: segmentOf(batches) });
    await serveBatches(kafka, [
      serve(
        'all-codecs',
        codecs.flatMap((codec) => [encodeBatch(variedRecords(2000), codec), encodeBatch([varied(7)], codec)]),
      ),
      serve('long-batch', [encodeBatch(variedRecords(200_000)), encodeBatch(variedRecords(10), 'zstd')]),
      serve('ends-empty', [encodeBatch(variedRecords(20)), emptied(3), good(), emptied(5)]),
      serve('bomb', [good(), bomb(maxBatchBytes + 1), good()]),
      serve('damaged', [good(), good(), good()]),
    ]);
    flipBit(join(kafka.dataDir, 'damaged-0', `${'0'.repeat(20)}.log`), 2 * good().length - 2);
  });
  after(async () => {
    await kafka.stop();
  });

  const options = (topic: string, more: Partial<KafkaSourceOptions> = {}): KafkaSourceOptions => ({
    brokers: [kafka.bootstrap],
    topics: [topic],
    groupId: `group-of-${topic}`,
    start: 'earliest',
    onOutOfRange: 'stop',
    positions: [],
    isBounded: true,
    connectTimeoutMs: 10_000,
    credit: new Credit(32 << 20),
    timings: { pollMs: 300, stallMs: 3000 },
    ...more,
  });

  /** What we read of a topic, in kafkajs's terms, and where the reading ended. */
  async function readOurs(topic: string): Promise<{ records: readonly StockRecord[]; nextOffset: number }> {
    const source = kafkaSource(options(topic), silentTelemetry);
    const records: StockRecord[] = [];
    let nextOffset = -1;
    const blocks = source.blocks.pipe(
      tap((block) => {
        for (let index = 0; index < block.recordCount; index += 1) records.push(recordOf(block, index));
        nextOffset = block.nextOffset;
        block.release();
      }),
    );
    await lastValueFrom(blocks);
    await source.close();
    return { records, nextOffset };
  }

  async function compare(topic: string): Promise<readonly StockRecord[]> {
    let { records } = await readOurs(topic);
    for (;;) {
      const stock = await readStock(kafka.bootstrap, topic, (records.at(-1)?.offset ?? -1) + 1);
      const again = (await readOurs(topic)).records;
      if (again.length === records.length) {
        assert.equal(records.length, stock.length);
        for (const [index, record] of records.entries()) assert.deepEqual(record, stock[index]);
        return records;
      }
      // Compaction took records meanwhile: the two readings saw different logs.
      assert.ok(again.length < records.length);
      records = again;
    }
  }

  test('all codecs, null keys and values, and headers with repeated keys show no difference', async () => {
    const records = await compare('all-codecs');
    assert.equal(records.length, codecs.length * 2001);
    assert.deepEqual(
      records.slice(0, 2000).map(({ key, value, timestampMs }) => ({ key, value, timestampMs })),
      variedRecords(2000).map(({ key, value, timestampMs }) => ({
        key: digest(key),
        value: digest(value),
        timestampMs,
      })),
    );
  });

  test('a batch of 200,000 records shows no difference', async () => {
    assert.equal((await compare('long-batch')).length, 200_010);
  });

  test('committed and aborted transactions show no difference', async () => {
    const topic = 'transactions';
    await write(topic, 30);
    const client = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING });
    const producer = client.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const end of ['commit', 'abort', 'abort', 'commit'] as const) {
      const transaction = await producer.transaction();
      for (const key of ['one', 'two', null]) {
        await transaction.send({ topic, messages: [{ key, value: `${end}ted`, headers: { h: ['1', '2'] } }] });
      }
      await transaction[end]();
      await write(topic, 5);
    }
    await producer.disconnect();
    assert.equal((await compare(topic)).length, 30 + 6 + 20);
  });

  test('a compacted topic shows no difference', async () => {
    const topic = 'compacted';
    const admin = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    const configEntries = Object.entries({
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.01',
      'segment.ms': '100',
      'delete.retention.ms': '0',
    }).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true });
    await admin.disconnect();
    let written = 0;
    let records: readonly StockRecord[] = [];
    for (let round = 0; round < 60 && records.length === written; round += 1) {
      // A segment ends by the clock of its records.
      await write(topic, 400, round * 1_000_000);
      written += 400;
      records = (await readOurs(topic)).records;
    }
    assert.ok(records.length < written, 'the broker did not compact');
    await compare(topic);
  });

  test('a bounded reading reaches the end of a topic that ends in a batch emptied by compaction', async () => {
    const { records, nextOffset } = await readOurs('ends-empty');
    assert.equal(records.length, 21);
    assert.equal(nextOffset, 29);
  });

  for (const [topic, reason] of [
    ['bomb', /decompresses to more than/],
    ['damaged', /CRC/],
  ] as const) {
    test(`a batch that cannot be read (${topic}) ends the reading with its place, behind what came before`, async () => {
      const reading = readAll(kafkaSource(options(topic), silentTelemetry));
      await assert.rejects(reading, (error: Error & { code?: string; context?: object }) => {
        assert.equal(error.code, 'source.corrupt');
        assert.match(error.message, new RegExp(`^${topic}:0: the batch at offset 1 cannot be read`));
        assert.match(error.message, reason);
        return true;
      });
      // What the message advises.
      await deleteRecords(topic, 2);
      const positions = [{ topic, partition: 0, nextOffset: 1, epoch: 0 }];
      const { records } = await readAll(
        kafkaSource(options(topic, { positions, onOutOfRange: 'earliest' }), silentTelemetry),
      );
      assert.deepEqual(
        records.map(({ offset, value }) => [offset, value]),
        [[2, 'good']],
      );
    });
  }

  async function write(topic: string, count: number, laterMs = 0): Promise<void> {
    const writer = kafkaWriter({ brokers: [kafka.bootstrap], topic, partitions: 1, connectTimeoutMs: 5000 });
    const records = variedRecords(count).map((record): OutgoingRecord => ({
      key: record.key === null ? Buffer.from('key') : Buffer.from(record.key),
      value: record.value === null ? null : Buffer.from(record.value),
      headers: record.headers ?? [],
      timestampMs: record.timestampMs + laterMs,
    }));
    await writer.send(records);
    await writer.close();
  }

  async function deleteRecords(topic: string, before: number): Promise<void> {
    const admin = new kafkajs.Kafka({ brokers: [kafka.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(before) }] });
    await admin.disconnect();
  }
});

/** A record of a block in kafkajs's terms, headers grouped by key as it does. */
function recordOf(block: RecordBlock, index: number): StockRecord {
  const range = (start: number, length: number): string | null =>
    length < 0 ? null : digest(block.bytes.subarray(start, start + length));
  const groups = new Map<string, (readonly [string, string | null])[]>();
  for (const { key, value } of block.headers(index)) {
    const group = groups.get(key) ?? [];
    group.push([key, digest(value)]);
    groups.set(key, group);
  }
  return {
    offset: block.offsets[index]!,
    timestampMs: block.timestampsMs[index]!,
    key: range(block.keyStarts[index]!, block.keyLengths[index]!),
    value: range(block.valueStarts[index]!, block.valueLengths[index]!),
    headers: [...groups.values()].flat(),
  };
}
