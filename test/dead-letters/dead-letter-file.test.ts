import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { deadLetterFile } from '../../src/dead-letters/dead-letter-file.ts';
import type { DeadLetter } from '../../src/dead-letters/dead-letters.ts';
import { temporaryDirectory } from '../support/command.ts';

const letter = (offset: number): DeadLetter => ({
  reason: 'frame.magic',
  detail: 'magic byte 9',
  topic: 'readings',
  partition: 2,
  offset,
  timestampMs: 1_000,
  key: Buffer.from('s1'),
  value: Buffer.from([9, 0xff]),
  headers: [{ key: 'trace', value: null }],
});

const lines = (file: string): unknown[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

const root = temporaryDirectory({ after });
const freshFile = (): string => join(mkdtempSync(join(root, 'letters-')), 'dead-letters.jsonl');

describe('deadLetterFile', () => {
  test('keeps key, value, headers, position and reason, durable after flush', async () => {
    const file = freshFile();
    const letters = deadLetterFile(file, null);
    letters.write(letter(5));
    await letters.flush();
    assert.deepEqual(lines(file), [
      {
        reason: 'frame.magic',
        detail: 'magic byte 9',
        topic: 'readings',
        partition: 2,
        offset: 5,
        timestamp: 1_000,
        key: 'czE=',
        value: 'Cf8=',
        headers: [{ key: 'trace', value: null }],
      },
    ]);
    assert.equal(letters.durableBytes, readFileSync(file).length);
    await letters.close();
  });

  test('appends across runs and cuts off what the checkpoint does not count', async () => {
    const file = freshFile();
    const first = deadLetterFile(file, null);
    first.write(letter(1));
    await first.flush();
    const counted = first.durableBytes;
    first.write(letter(2));
    await first.close();
    const second = deadLetterFile(file, counted);
    second.write(letter(3));
    await second.close();
    assert.deepEqual(
      lines(file).map((line) => (line as { offset: number }).offset),
      [1, 3],
    );
  });
});
