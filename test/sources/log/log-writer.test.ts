import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ErrorCode } from '../../../src/error-codes.ts';
import { SourceError } from '../../../src/errors.ts';
import { readEpochs } from '../../../src/sources/log/leader-epochs.ts';
import { LogWriter } from '../../../src/sources/log/log-writer.ts';
import {
  listPartitions,
  partitionDirectory,
  segmentBases,
  segmentFile,
} from '../../../src/sources/log/partition-directory.ts';
import { textRecord } from '../record-batch/batches.ts';
import { numbered, offsetsOf, openWriter, readAll, temporaryDirectory, topic, valuesOf, writeLog } from './logs.ts';

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof SourceError && error.code === code;
}

function onlySegment(dir: string): string {
  return segmentFile(partitionDirectory(dir, topic, 0), 0);
}

/** Where each batch of a segment begins, and where the last ends. */
function batchStarts(segment: Buffer): number[] {
  const starts = [0];
  for (let at = 0; at < segment.length; starts.push(at)) at += 12 + segment.readInt32BE(at + 8);
  return starts;
}

function names(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, index) => String(first + index));
}

test('a writer goes on from the end of the log, under a new epoch each time', async (context) => {
  const dir = temporaryDirectory(context);
  for (let round = 0; round < 3; round += 1) {
    const writer = await openWriter(dir);
    assert.equal(writer.nextOffset, round * 10);
    assert.equal(writer.append(numbered(round * 10, round * 10 + 10)), round * 10);
    assert.equal(writer.nextOffset, round * 10 + 10);
    writer.close();
  }
  const blocks = await readAll(dir);
  assert.deepEqual(valuesOf(blocks), names(0, 30));
  assert.deepEqual(
    blocks.filter((block) => block.recordCount > 0).map((block) => block.epoch),
    [0, 1, 2],
  );
  assert.deepEqual(readEpochs(partitionDirectory(dir, topic, 0)), [
    { epoch: 0, startOffset: 0 },
    { epoch: 1, startOffset: 10 },
    { epoch: 2, startOffset: 20 },
  ]);
});

test('an epoch that wrote nothing leaves the list, but its number is not used again', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 1);
  (await openWriter(dir)).close();
  const writer = await openWriter(dir);
  assert.equal(writer.epoch, 2);
  writer.close();
  assert.deepEqual(readEpochs(partitionDirectory(dir, topic, 0)), [
    { epoch: 0, startOffset: 0 },
    { epoch: 2, startOffset: 10 },
  ]);
});

test('segments roll at their size and read as one log, under every codec', async (context) => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const dir = temporaryDirectory(context);
    await writeLog(dir, 40, { segmentBytes: 1000, compression });
    const bases = segmentBases(partitionDirectory(dir, topic, 0));
    assert.ok(bases.length > 3);
    for (const base of bases) assert.ok(statSync(segmentFile(partitionDirectory(dir, topic, 0), base)).size <= 1000);
    const blocks = await readAll(dir);
    assert.deepEqual(valuesOf(blocks), names(0, 400));
    assert.deepEqual(offsetsOf(blocks), [...names(0, 400).map(Number)]);
    const reopened = await openWriter(dir);
    assert.equal(reopened.nextOffset, 400);
    reopened.close();
  }
});

test('a torn tail is cut off, wherever the last batch ends', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 3);
  const file = onlySegment(dir);
  const whole = readFileSync(file);
  const lastBatch = batchStarts(whole)[2]!;
  for (let length = lastBatch; length < whole.length; length += 1) {
    writeFileSync(file, whole.subarray(0, length));
    const writer = await openWriter(dir, { fsync: 'batch' });
    assert.equal(writer.nextOffset, 20, `${length} bytes`);
    assert.equal(writer.cutBytes, length - lastBatch);
    writer.close();
    assert.equal(statSync(file).size, lastBatch);
  }
});

test('a tail of zeros and a last batch with a wrong CRC are torn tails too', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 3);
  const file = onlySegment(dir);
  const whole = readFileSync(file);
  appendFileSync(file, Buffer.alloc(500));
  const afterZeros = await openWriter(dir);
  assert.equal(afterZeros.nextOffset, 30);
  afterZeros.close();
  const damaged = Buffer.from(whole);
  damaged[whole.length - 3]! ^= 1;
  writeFileSync(file, damaged);
  const afterDamage = await openWriter(dir);
  assert.equal(afterDamage.nextOffset, 20);
  afterDamage.append(numbered(20, 25));
  afterDamage.close();
  assert.deepEqual(valuesOf(await readAll(dir)), names(0, 25));
});

test('a bad batch with a good one behind it is refused and left as it is, also where its length is damaged', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 3);
  const file = onlySegment(dir);
  const whole = readFileSync(file);
  const [, second = 0, third = 0] = batchStarts(whole);
  for (const at of [second + 8, second + 9, second + 11, second + 16, second + 40, third - 1]) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x40;
    writeFileSync(file, damaged);
    await assert.rejects(openWriter(dir), (error) => {
      assert.ok(hasCode('source.corrupt')(error));
      assert.match(String(error), /damaged batch at byte \d+ \(offset 10\).*good one behind it/);
      return true;
    });
    assert.ok(readFileSync(file).equals(damaged));
  }
  writeFileSync(file, whole);
  (await openWriter(dir)).close();
});

test('a second writer is refused while the first lives, in this process and in another', async (context) => {
  const dir = temporaryDirectory(context);
  const writer = await openWriter(dir);
  await assert.rejects(openWriter(dir), hasCode('log.locked'));
  const script = `
    import { LogWriter } from './src/sources/log/log-writer.ts';
    await LogWriter.open({ dir: ${JSON.stringify(dir)}, topic: '${topic}', partition: 0 }).catch((error) => console.log(error.code));`;
  const said = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  assert.equal(said.trim(), 'log.locked');
  const other = await openWriter(dir, { partition: 1 });
  assert.deepEqual(listPartitions(dir, topic), [0, 1]);
  other.close();
  writer.close();
  (await openWriter(dir)).close();
});

test('the lock of a dead writer is lifted, even where another process has its number now', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 1);
  const lock = join(partitionDirectory(dir, topic, 0), 'writer.lock');
  const dead = spawnSync(process.execPath, ['--version']).pid;
  for (const holder of [
    { pid: dead, startTime: '1', bootId: 'this' },
    { pid: process.pid, startTime: '1', bootId: 'earlier' },
    { pid: process.pid, startTime: 'earlier', bootId: 'this' },
  ]) {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    writeFileSync(lock, JSON.stringify({ ...holder, bootId: holder.bootId === 'this' ? bootId : holder.bootId }));
    const writer = await openWriter(dir);
    assert.equal(writer.nextOffset, 10);
    writer.close();
    assert.equal(existsSync(lock), false);
  }
  writeFileSync(lock, '{"pid":1');
  (await openWriter(dir)).close();
  assert.deepEqual(
    readdirSync(partitionDirectory(dir, topic, 0)).filter((name) => name.startsWith('writer.')),
    [],
  );
});

test('a directory that a broker owns is only read', async (context) => {
  const dir = temporaryDirectory(context);
  writeFileSync(join(dir, 'meta.properties'), 'version=1\n');
  await assert.rejects(openWriter(dir), hasCode('log.foreign'));
  assert.deepEqual(listPartitions(dir, topic), []);
});

test('a writer stops when somebody else has written to its file', async (context) => {
  const dir = temporaryDirectory(context);
  const writer = await openWriter(dir);
  writer.append(numbered(0, 10));
  appendFileSync(onlySegment(dir), 'x');
  assert.throws(() => writer.append(numbered(10, 20)), hasCode('log.failed'));
  assert.throws(() => writer.append(numbered(10, 20)), /the writer has stopped/);
  assert.throws(() => {
    writer.close();
  }, hasCode('log.failed'));
});

/** A directory on a file system of its own, null where that cannot be had. */
function smallFileSystem(context: TestContext): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-small-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir]).status === 0;
  context.after(() => {
    if (isMounted) spawnSync('umount', [dir]);
    rmdirSync(dir);
  });
  return isMounted ? dir : null;
}

test('a full disk leaves no half batch, and writing goes on when there is room again', async (context) => {
  const dir = smallFileSystem(context);
  if (dir === null) {
    context.skip('a small tmpfs cannot be mounted here');
    return;
  }
  const ballast = join(dir, 'ballast');
  writeFileSync(ballast, Buffer.alloc(100_000));
  const writer = await openWriter(dir);
  let offset = 0;
  assert.throws(
    () => {
      for (; offset < 1000; offset += 1) writer.append([textRecord('x'.repeat(10_000))]);
    },
    (error) => hasCode('log.failed')(error) && error instanceof SourceError && error.retriable,
  );
  assert.equal(writer.nextOffset, offset);
  writeFileSync(ballast, '');
  assert.equal(writer.append([textRecord('y')]), offset);
  writer.close();
  assert.deepEqual(valuesOf(await readAll(dir)).length, offset + 1);
});

test('appending after close and appending nothing are programming errors', async (context) => {
  const writer = await openWriter(temporaryDirectory(context));
  assert.throws(() => writer.append([]), /needs a record/);
  writer.close();
  writer.close();
  assert.throws(() => writer.append(numbered(0, 1)), /append after close/);
});

test('the interval fsync runs beside appends and rolls', async (context) => {
  const dir = temporaryDirectory(context);
  const writer = await LogWriter.open({ dir, topic, partition: 0, fsync: 1, segmentBytes: 2000 });
  for (let batch = 0; batch < 200; batch += 1) {
    writer.append(numbered(batch * 10, batch * 10 + 10));
    if (batch % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  writer.close();
  assert.deepEqual(valuesOf(await readAll(dir)), names(0, 2000));
});
