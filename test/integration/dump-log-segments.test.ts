import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { partitionDirectory, segmentBases, segmentFile } from '../../src/sources/log/partition-directory.ts';
import { codecs } from '../../src/sources/record-batch/compression.ts';
import { openWriter, temporaryDirectory, topic } from '../sources/log/logs.ts';
import { missing, testCache } from '../support/requirements.ts';

const jars = join(testCache, 'kafka-4.3.1');

function dump(files: readonly string[]): string {
  const tool = 'org.apache.kafka.tools.DumpLogSegments';
  const flags = ['--deep-iteration', '--print-data-log', '--files', files.join(',')];
  const { status, stdout, stderr } = spawnSync('java', ['-Xmx256m', '-cp', `${jars}/*`, tool, ...flags], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

const title = "Kafka's DumpLogSegments reads what we write, over several segments and every codec";
test(title, { skip: missing('kafka-4.3.1') ?? false }, async (context) => {
  const dir = temporaryDirectory(context);
  let batches = 0;
  for (const compression of codecs) {
    // Opening anew for each codec also makes an epoch for each.
    const writer = await openWriter(dir, { compression, segmentBytes: 3000 });
    for (let batch = 0; batch < 12; batch += 1) {
      const first = writer.nextOffset;
      const records = Array.from({ length: 10 }, (_, index) => ({
        key: index % 3 === 0 ? null : Buffer.from(`sensor-${index}`),
        value: index === 7 ? null : Buffer.from(`value-${first + index}`),
        timestampMs: 1_700_000_000_000 + 60_000 * (first + index),
        headers: index === 5 ? [{ key: 'unit', value: Buffer.from('kelvin') }] : [],
      }));
      writer.append(records);
      batches += 1;
    }
    writer.close();
  }
  const directory = partitionDirectory(dir, topic, 0);
  const bases = segmentBases(directory);
  assert.ok(bases.length >= 3, `${bases.length} segments`);
  const output = dump(bases.map((base) => segmentFile(directory, base)));

  const batchLines = output.split('\n').filter((line) => line.startsWith('baseOffset: '));
  assert.equal(batchLines.length, batches);
  assert.ok(batchLines.every((line) => line.includes('isvalid: true')));
  for (const codec of codecs) assert.ok(batchLines.some((line) => line.includes(`compresscodec: ${codec}`)));
  assert.deepEqual(
    [...new Set(batchLines.map((line) => /partitionLeaderEpoch: (\d+)/.exec(line)?.[1]))],
    ['0', '1', '2', '3', '4'],
  );

  const recordLines = output.split('\n').filter((line) => line.startsWith('| offset: '));
  assert.equal(recordLines.length, batches * 10);
  recordLines.forEach((line, offset) => {
    assert.match(line, new RegExp(`^\\| offset: ${offset} CreateTime: ${1_700_000_000_000 + 60_000 * offset} `));
    if (offset % 10 !== 7) assert.ok(line.endsWith(` payload: value-${offset}`), line);
    if (offset % 10 === 5) assert.match(line, /headerKeys: \[unit\] key: sensor-5 /);
  });
  assert.doesNotMatch(output, /Found invalid|mismatch/i);
});
