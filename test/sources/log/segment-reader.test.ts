import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { partitionDirectory, segmentFile } from '../../../src/sources/log/partition-directory.ts';
import { SegmentReader } from '../../../src/sources/log/segment-reader.ts';
import { temporaryDirectory, topic, writeLog } from './logs.ts';

test('what was judged stays as it was, though a writer completes the batch and adds others', async (context) => {
  const dir = temporaryDirectory(context);
  await writeLog(dir, 3);
  const file = segmentFile(partitionDirectory(dir, topic, 0), 0);
  const whole = readFileSync(file);
  const firstBytes = 12 + whole.readInt32BE(8);
  writeFileSync(file, whole.subarray(0, firstBytes - 5));
  const reader = new SegmentReader(file, { windowBytes: 1 << 20, maxBatchBytes: 1 << 20, isHeadersOnly: false });
  context.after(() => {
    reader.close();
  });
  assert.equal(reader.next(), 'incomplete');
  writeFileSync(file, whole);
  assert.deepEqual([reader.judgedBytes, reader.restBytes], [firstBytes - 5, whole.length]);
  assert.notEqual(typeof reader.next(), 'string');
});
