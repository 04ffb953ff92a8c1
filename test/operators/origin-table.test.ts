import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OriginTable } from '../../src/operators/origin-table.ts';

test('topic-partitions are numbered by first appearance, also across a restart', () => {
  const table = new OriginTable();
  assert.deepEqual([table.idOf('a', 0), table.idOf('a', 1), table.idOf('b', 0), table.idOf('a', 1)], [0, 1, 2, 1]);
  assert.deepEqual(table.origin(2), { topic: 'b', partition: 0 });
  assert.throws(() => table.origin(3), RangeError);
  const restored = new OriginTable();
  restored.restore(table.snapshot());
  assert.deepEqual(restored.origins, table.origins);
  assert.equal(restored.idOf('c', 0), 3);
});
