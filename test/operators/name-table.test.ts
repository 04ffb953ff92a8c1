import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameTable } from '../../src/operators/name-table.ts';

test('names get ids by first appearance until the table is full; then the limit stands for all others', () => {
  const table = new NameTable(2);
  assert.equal(table.peek('a'), 0);
  assert.equal(table.size, 0);
  assert.deepEqual([table.add('a'), table.add('b'), table.add('c'), table.add('a')], [0, 1, 2, 0]);
  assert.deepEqual([table.peek('b'), table.peek('c')], [1, 2]);
  assert.equal(table.find('c'), undefined);
  assert.deepEqual(table.names, ['a', 'b']);
});
