import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnCutter, ColumnMemory } from '../src/columns.ts';

test('columns lie one behind the other', () => {
  const cut = columnCutter(new ArrayBuffer(64));
  const [wide, narrow] = [cut(Float64Array, 3), cut(Int32Array, 2)];
  assert.deepEqual([wide.byteOffset, wide.length], [0, 3]);
  assert.deepEqual([narrow.byteOffset, narrow.length], [24, 2]);
  assert.equal(wide.buffer, narrow.buffer);
});

test('memory that was given back serves the next block of about its size, and no two at once', () => {
  const memory = new ColumnMemory();
  const first = memory.take(5000);
  assert.ok(first.byteLength >= 5000);
  assert.notEqual(memory.take(5000), first);
  memory.give(first);
  assert.equal(memory.take(6000), first);
  assert.notEqual(memory.take(6000), first);
});

test('memory is never too small, and no more than a few buffers of a size are kept', () => {
  const memory = new ColumnMemory();
  assert.ok(memory.take(1).byteLength >= 1);
  const small = memory.take(4096);
  memory.give(small);
  assert.ok(memory.take(4097).byteLength >= 4097);
  const many = Array.from({ length: 100 }, () => memory.take(4096));
  for (const buffer of many) memory.give(buffer);
  const kept = new Set(Array.from({ length: 100 }, () => memory.take(4096)).filter((buffer) => many.includes(buffer)));
  assert.equal(kept.size, 16);
});
