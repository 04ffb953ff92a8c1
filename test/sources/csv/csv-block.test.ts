import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvBlock } from '../../../src/sources/csv/csv-block.ts';

test('a block holds the text of each record as its value, no keys, and one offset a record', () => {
  const taken: number[] = [];
  const records = [
    { bytes: Buffer.from('1,2'), cells: ['1', '2'] },
    { bytes: Buffer.from(''), cells: [] },
    { bytes: Buffer.from('10,20'), cells: ['10', '20'] },
  ];
  const block = csvBlock(records, { topic: 't', firstOffset: 7, pass: 1, endOffset: 12, nowMs: 99 }, (bytes) => {
    taken.push(bytes);
    return () => undefined;
  });
  const values = Array.from(block.valueStarts, (start, index) =>
    block.bytes.toString('utf8', start, start + block.valueLengths[index]!),
  );
  assert.deepEqual(values, ['1,2', '', '10,20']);
  assert.deepEqual([...block.keyLengths], [-1, -1, -1]);
  assert.deepEqual([...block.offsets], [7, 8, 9]);
  assert.deepEqual([...block.timestampsMs], [99, 99, 99]);
  assert.deepEqual(block.cells, [['1', '2'], [], ['10', '20']]);
  assert.deepEqual([block.nextOffset, block.epoch, block.isScored, block.endOffset], [10, 1, false, 12]);
  assert.deepEqual(block.headers(0), []);
  assert.deepEqual(taken, [8]);
});
