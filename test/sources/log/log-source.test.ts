import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SourceError } from '../../../src/errors.ts';
import type { Position, RecordBlock } from '../../../src/records.ts';
import { Credit } from '../../../src/sources/credit.ts';
import { logSource } from '../../../src/sources/log/log-source.ts';
import { partitionDirectory, segmentBases, segmentFile } from '../../../src/sources/log/partition-directory.ts';
import { encodeBatch } from '../../../src/sources/record-batch/encode-batch.ts';
import { silentTelemetry } from '../../../src/telemetry.ts';
import { inTransaction, segmentOf, textRecord, transactionMarker } from '../record-batch/batches.ts';
import {
  numbered,
  offsetsOf,
  openWriter,
  readAll,
  recordingTelemetry,
  sourceOptions,
  temporaryDirectory,
  topic,
  valuesOf,
  writeLog,
  writeSegment,
} from './logs.ts';

function batchOf(...values: string[]): Buffer {
  return encodeBatch(values.map((value) => textRecord(value)));
}

function at(nextOffset: number, epoch = -1, partition = 0): Position {
  return { topic, partition, nextOffset, epoch };
}

/** A live subscription and a way to wait for what it shows. */
function follow(dir: string, options: Parameters<typeof sourceOptions>[1] = {}, telemetry = recordingTelemetry()) {
  const blocks: RecordBlock[] = [];
  const source = logSource(sourceOptions(dir, { isBounded: false, ...options }), telemetry);
  let failure: unknown = null;
  let isComplete = false;
  source.blocks.subscribe({
    next: (block) => {
      blocks.push(block);
      block.release();
    },
    error: (error: unknown) => {
      failure = error;
    },
    complete: () => {
      isComplete = true;
    },
  });
  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = performance.now() + 10_000;
    while (!condition() && failure === null) {
      assert.ok(performance.now() < deadline, `only ${valuesOf(blocks).join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  return { blocks, source, until, telemetry, failure: () => failure, isComplete: () => isComplete };
}

function outOfRange(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'source.outOfRange';
}

test('batches of several partitions come whole, by base timestamp and then by partition', async (context) => {
  const dir = temporaryDirectory(context);
  const writers = [
    await openWriter(dir),
    await openWriter(dir, { partition: 1 }),
    await openWriter(dir, { partition: 2 }),
  ];
  const append = (partition: number, value: string, timestampMs: number): void => {
    writers[partition]!.append([textRecord(value, timestampMs), textRecord(`${value}'`, timestampMs + 1000)]);
  };
  append(2, 'a', 100);
  append(0, 'b', 200);
  append(1, 'c', 200);
  append(0, 'd', 50);
  append(2, 'e', 150);
  append(1, 'f', 300);
  writers.forEach((writer) => {
    writer.close();
  });
  const order = valuesOf(await readAll(dir)).filter((value) => !value.endsWith("'"));
  assert.deepEqual(order, ['a', 'e', 'b', 'd', 'c', 'f']);
  // The same from the middle of it.
  const positions = [at(3), at(0, -1, 1), at(4, -1, 2)];
  const rest = valuesOf(await readAll(dir, { positions }));
  assert.deepEqual(rest, ["d'", 'c', "c'", 'f', "f'"]);
});

test('a partition read to its end is not waited for when the log is followed', async (context) => {
  const dir = temporaryDirectory(context);
  const quiet = await openWriter(dir);
  const busy = await openWriter(dir, { partition: 1 });
  quiet.append([textRecord('q', 100)]);
  busy.append([textRecord('b', 500)]);
  const live = follow(dir);
  await live.until(() => valuesOf(live.blocks).length === 2);
  busy.append([textRecord('c', 600)]);
  await live.until(() => valuesOf(live.blocks).length === 3);
  quiet.append([textRecord('r', 300)]);
  await live.until(() => valuesOf(live.blocks).length === 4);
  assert.deepEqual(valuesOf(live.blocks), ['q', 'b', 'c', 'r']);
  await live.source.close();
  await live.until(live.isComplete);
  quiet.close();
  busy.close();
});

test('a topic and partitions that appear later are picked up from their start', async (context) => {
  const dir = join(temporaryDirectory(context), 'not-yet');
  const live = follow(dir, { start: 'latest' });
  await live.until(() => live.telemetry.events.length > 0);
  assert.deepEqual(live.telemetry.events[0], {
    type: 'sourceInterrupted',
    message: `there is no topic ${topic} in ${dir}`,
  });
  const first = await openWriter(dir);
  await live.until(() => live.telemetry.events.some((event) => event.type === 'sourceJoined'));
  const second = await openWriter(dir, { partition: 7 });
  second.append([textRecord('from the new partition')]);
  await live.until(() => valuesOf(live.blocks).length === 1);
  assert.equal(live.blocks.at(-1)?.partition, 7);
  first.close();
  second.close();
  await live.source.close();
});

test('a bounded reading waits for its topic as long as it may, then fails', async (context) => {
  const dir = temporaryDirectory(context);
  const error = await readAll(dir, { connectTimeoutMs: 30 }).catch((caught: unknown) => caught);
  assert.ok(error instanceof SourceError && error.code === 'source.unavailable' && error.retriable);
  assert.match(error.message, /there is no topic readings/);
  mkdirSync(join(dir, `${topic}-0`));
  const blocks = await readAll(dir, { connectTimeoutMs: 30 });
  assert.deepEqual(
    blocks.map((block) => [block.isEndOfInput, block.nextOffset]),
    [[true, 0]],
  );
});

test('a bounded reading ends where the log ended at its start', async (context) => {
  const dir = temporaryDirectory(context);
  const writer = await openWriter(dir);
  for (let batch = 0; batch < 50; batch += 1) writer.append(numbered(batch * 100, batch * 100 + 100));
  const blocks: RecordBlock[] = [];
  await new Promise<void>((resolve, reject) => {
    logSource(sourceOptions(dir, { credit: new Credit(1) }), silentTelemetry).blocks.subscribe({
      next: (block) => {
        if (blocks.length < 5) writer.append(numbered(0, 10));
        blocks.push(block);
        block.release();
      },
      error: reject,
      complete: resolve,
    });
  });
  writer.close();
  assert.equal(blocks.at(-1)?.nextOffset, 5000);
  assert.equal(valuesOf(blocks).length, 5000);
  assert.ok(blocks.every((block) => block.endOffset === 5000));
});

test('start may be the first offset, the end, or a time', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 5, { segmentBytes: 500 });
  const timeOf = (offset: number): number => 1_700_000_000_000 + 1000 * offset;
  assert.equal(offsetsOf(await readAll(dir, { start: 'earliest' }))[0], 0);
  assert.deepEqual(offsetsOf(await readAll(dir, { start: timeOf(33) }))[0], 33);
  assert.deepEqual(offsetsOf(await readAll(dir, { start: timeOf(33) - 1 }))[0], 33);
  assert.deepEqual(offsetsOf(await readAll(dir, { start: timeOf(50) })), []);
  const latest = await readAll(dir, { start: 'latest' });
  assert.deepEqual(
    latest.map((block) => [block.recordCount, block.nextOffset, block.isEndOfInput]),
    [
      [0, 50, false],
      [0, 50, true],
    ],
  );
});

test('a position below or above the log, or of another history, is out of range by policy', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 30, { segmentBytes: 1000 });
  const directory = partitionDirectory(dir, topic, 0);
  const [first = 0, second = 0] = segmentBases(directory);
  rmSync(segmentFile(directory, first));
  writeFileSync(join(directory, 'leader-epoch-checkpoint'), '0\n2\n0 0\n3 120\n');

  const cases = [
    { position: at(5), what: /position 5 is gone/, earliest: second },
    { position: at(301, 3), what: /above the log's end 300/, earliest: second },
    { position: at(150, 0), what: /another history, this log's parts from it at 120/, earliest: 120 },
    { position: at(150, 9), what: /another history/, earliest: second },
  ];
  for (const { position, what, earliest } of cases) {
    await assert.rejects(readAll(dir, { positions: [position] }), (error) => {
      assert.ok(outOfRange(error));
      assert.match(String(error), what);
      return true;
    });
    const telemetry = recordingTelemetry();
    const blocks = await readAll(dir, { positions: [position], onOutOfRange: 'earliest' }, telemetry);
    assert.equal(offsetsOf(blocks)[0], earliest);
    assert.deepEqual(
      telemetry.events.find((event) => event.type === 'offsetsSkipped'),
      { type: 'offsetsSkipped', topic, partition: 0, from: position.nextOffset, to: earliest },
    );
    const latest = await readAll(dir, { positions: [position], onOutOfRange: 'latest' });
    assert.deepEqual([offsetsOf(latest), latest.at(-1)?.nextOffset], [[], 300]);
  }
  assert.equal(offsetsOf(await readAll(dir, { positions: [at(120, 0)] }))[0], 120);
  assert.equal(offsetsOf(await readAll(dir, { positions: [at(150, 3)] }))[0], 150);
  assert.deepEqual(offsetsOf(await readAll(dir, { positions: [at(300, 3)] })), []);
});

test('a position in a partition whose folder is gone is out of range', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 1);
  await assert.rejects(readAll(dir, { positions: [at(3), at(4, -1, 1)] }), outOfRange);
  assert.equal(valuesOf(await readAll(dir, { positions: [at(3), at(0, -1, 1)] })).length, 7);
});

test('retention that overtakes a slow reader is told, and decided by the policy', async (context) => {
  for (const onOutOfRange of ['stop', 'earliest'] as const) {
    const dir = temporaryDirectory(context);
    await writeLog(dir, 40, { segmentBytes: 1000 });
    const directory = partitionDirectory(dir, topic, 0);
    const bases = segmentBases(directory);
    const telemetry = recordingTelemetry();
    const read = new Promise<RecordBlock[]>((resolve, reject) => {
      const blocks: RecordBlock[] = [];
      const options = sourceOptions(dir, { onOutOfRange, credit: new Credit(1) });
      logSource(options, telemetry).blocks.subscribe({
        next: (block) => {
          if (blocks.length === 0) for (const base of bases.slice(0, 4)) rmSync(segmentFile(directory, base));
          blocks.push(block);
          block.release();
        },
        error: reject,
        complete: () => {
          resolve(blocks);
        },
      });
    });
    if (onOutOfRange === 'stop') {
      await assert.rejects(read, outOfRange);
      continue;
    }
    // The segment that was open when it was deleted is still read to its end.
    const expected = [...numbered(0, bases[1]!), ...numbered(bases[4]!, 400)].map(({ value }) => String(value));
    assert.deepEqual(valuesOf(await read), expected);
    const skipped = telemetry.events.filter((event) => event.type === 'offsetsSkipped');
    assert.deepEqual(skipped, [{ type: 'offsetsSkipped', topic, partition: 0, from: bases[1], to: bases[4] }]);
  }
});

test('aborted records are dropped, control batches passed over, positions cover both', async (context) => {
  const dir = temporaryDirectory(context);
  const batches = [
    batchOf('plain'),
    inTransaction(batchOf('aborted'), 7),
    inTransaction(batchOf('kept'), 8),
    inTransaction(batchOf('aborted too'), 7),
    transactionMarker(7, 'abort'),
    inTransaction(batchOf('kept later'), 7),
    transactionMarker(8, 'commit'),
    transactionMarker(7, 'commit'),
  ];
  writeSegment(dir, 0, 0, segmentOf(batches));
  const blocks = await readAll(dir);
  assert.deepEqual(valuesOf(blocks), ['plain', 'kept', 'kept later']);
  assert.deepEqual(offsetsOf(blocks), [0, 2, 5]);
  assert.equal(blocks.at(-1)?.nextOffset, 8);
  // From within the aborted transaction.
  assert.deepEqual(valuesOf(await readAll(dir, { positions: [at(3)] })), ['kept later']);
});

test('a log that ends in control records hands on a position behind them', async (context) => {
  const dir = temporaryDirectory(context);
  writeSegment(dir, 0, 0, segmentOf([inTransaction(batchOf('x'), 7), transactionMarker(7, 'commit')]));
  writeSegment(dir, 1, 0, segmentOf([inTransaction(batchOf('y'), 7), transactionMarker(7, 'abort')]));
  const blocks = await readAll(dir);
  const ends = new Map(blocks.map((block) => [block.partition, block.nextOffset]));
  assert.deepEqual(
    [...ends],
    [
      [0, 2],
      [1, 2],
    ],
  );
  assert.deepEqual(valuesOf(blocks), ['x']);
});

test('nothing behind an open transaction is shown until it ends', async (context) => {
  const dir = temporaryDirectory(context);
  const open = [batchOf('before'), inTransaction(batchOf('open'), 7), batchOf('behind')];
  const file = writeSegment(dir, 0, 0, segmentOf(open));
  const bounded = await readAll(dir);
  assert.deepEqual(valuesOf(bounded), ['before']);
  assert.equal(bounded.at(-1)?.nextOffset, 1);
  const live = follow(dir);
  await live.until(() => valuesOf(live.blocks).length === 1);
  writeFileSync(file, segmentOf([transactionMarker(7, 'commit')], 3), { flag: 'a' });
  await live.until(() => live.blocks.at(-1)?.nextOffset === 4);
  assert.deepEqual(valuesOf(live.blocks), ['before', 'open', 'behind']);
  await live.source.close();
});

test('gaps are damage in an embedded log and legal in the directory of a broker', async (context) => {
  const dir = temporaryDirectory(context);
  const head = segmentOf([batchOf('a', 'b')], 0);
  writeSegment(dir, 0, 0, Buffer.concat([head, segmentOf([batchOf('c')], 5)]));
  writeSegment(dir, 0, 9, segmentOf([batchOf('d')], 12));
  await assert.rejects(readAll(dir), /offsets 9 to 11 are missing/);
  writeFileSync(join(dir, 'meta.properties'), '');
  const blocks = await readAll(dir);
  assert.deepEqual(valuesOf(blocks), ['a', 'b', 'c', 'd']);
  assert.equal(blocks.at(-1)?.nextOffset, 13);
  writeFileSync(join(dir, 'log-start-offset-checkpoint'), `0\n2\nother 0 1\n${topic} 0 5\n`);
  assert.deepEqual(valuesOf(await readAll(dir)), ['c', 'd']);
});

test('a missing segment in the middle is named', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 40, { segmentBytes: 1000 });
  const directory = partitionDirectory(dir, topic, 0);
  const bases = segmentBases(directory);
  rmSync(segmentFile(directory, bases[2]!));
  await assert.rejects(readAll(dir), new RegExp(`offsets ${bases[2]} to ${bases[3]! - 1} are missing`));
});

test('damage ends the stream with its place, wherever it lies', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 40, { segmentBytes: 3000 });
  const directory = partitionDirectory(dir, topic, 0);
  const [, base = 0] = segmentBases(directory);
  const file = segmentFile(directory, base);
  const whole = readFileSync(file);
  const second = 12 + whole.readInt32BE(8);
  // Behind a damaged length (8) the batch seems to go on behind the file's end; 17 is the CRC; 16 the format.
  for (const field of [8, 16, 17]) {
    const damaged = Buffer.from(whole);
    damaged[second + field]! ^= 0x40;
    writeFileSync(file, damaged);
    await assert.rejects(readAll(dir), (error) => {
      assert.ok(error instanceof SourceError && error.code === 'source.corrupt');
      assert.deepEqual([error.context['file'], error.context['byte']], [file, second]);
      return true;
    });
  }
  // A batch cut off inside the log.
  writeFileSync(file, whole.subarray(0, whole.length - 1));
  await assert.rejects(readAll(dir), /half a batch inside the log/);
});

test('a damaged length in the last segment is not taken for the end of the log', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 4);
  const file = segmentFile(partitionDirectory(dir, topic, 0), 0);
  const damaged = readFileSync(file);
  damaged[12 + damaged.readInt32BE(8) + 9]! ^= 0x40;
  writeFileSync(file, damaged);
  await assert.rejects(readAll(dir), /a damaged batch with good ones behind it/);
});

test('a torn tail is left to the writer: reading ends before it and goes on when it is replaced', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 3);
  const file = segmentFile(partitionDirectory(dir, topic, 0), 0);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length - 5));
  assert.equal((await readAll(dir)).at(-1)?.nextOffset, 20);
  const live = follow(dir);
  await live.until(() => valuesOf(live.blocks).length === 20);
  const writer = await openWriter(dir);
  writer.append([textRecord('new 20')]);
  await live.until(() => valuesOf(live.blocks).length === 21);
  assert.equal(valuesOf(live.blocks).at(-1), 'new 20');
  writer.close();
  await live.source.close();
});

test('a bad batch at the tail that becomes good within a second is read, never half of it', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 2);
  const file = segmentFile(partitionDirectory(dir, topic, 0), 0);
  const whole = readFileSync(file);
  const unsettled = Buffer.from(whole);
  unsettled.fill(0, whole.length - 20);
  writeFileSync(file, unsettled);
  const live = follow(dir);
  await live.until(() => valuesOf(live.blocks).length === 10);
  writeFileSync(file, whole, { flag: 'r+' });
  await live.until(() => valuesOf(live.blocks).length === 20);
  assert.equal(live.failure(), null);
  await live.source.close();
});

test('following passes from segment to segment without loss while the writer rolls', async (context) => {
  const dir = temporaryDirectory(context);
  const writer = await openWriter(dir, { segmentBytes: 2000 });
  const live = follow(dir, { credit: new Credit(500) });
  for (let batch = 0; batch < 300; batch += 1) {
    writer.append(numbered(batch * 10, batch * 10 + 10));
    if (batch % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await live.until(() => valuesOf(live.blocks).length === 3000);
  assert.deepEqual(
    offsetsOf(live.blocks),
    Array.from({ length: 3000 }, (_, index) => index),
  );
  const ends = live.telemetry.events.filter((event) => event.type === 'endOffsetSeen');
  assert.equal(ends.at(-1)?.endOffset, 3000);
  await live.source.close();
  writer.close();
});

test('a checkpoint can be prepared while reading goes on, and after segments are gone', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 20, { segmentBytes: 1000 });
  const live = follow(dir);
  await live.until(() => valuesOf(live.blocks).length === 200);
  await live.source.prepareCheckpoint?.();
  const directory = partitionDirectory(dir, topic, 0);
  rmSync(segmentFile(directory, 0));
  await live.source.prepareCheckpoint?.();
  await live.source.close();
  await live.source.prepareCheckpoint?.();
});

test('a second subscriber is refused, and a source closed before its subscription completes at once', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 1);
  const source = logSource(sourceOptions(dir), silentTelemetry);
  const first = new Promise<void>((resolve, reject) => {
    source.blocks.subscribe({ error: reject, complete: resolve });
  });
  await assert.rejects(
    new Promise<void>((resolve, reject) => {
      source.blocks.subscribe({ error: reject, complete: resolve });
    }),
    /one subscriber/,
  );
  await first;
  const closed = logSource(sourceOptions(dir), silentTelemetry);
  await closed.close();
  const blocks: RecordBlock[] = [];
  await new Promise<void>((resolve, reject) => {
    closed.blocks.subscribe({ next: (block) => blocks.push(block), error: reject, complete: resolve });
  });
  assert.deepEqual(blocks, []);
});
