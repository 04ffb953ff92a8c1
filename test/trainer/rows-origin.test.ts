import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rowsOrigin } from '../../src/trainer/rows-origin.ts';
import type { BatchRows } from '../../src/trainer/row-table.ts';

/** Rows as pairs of origin and offset. */
function originOf(...rows: readonly (readonly [originId: number, offset: number])[]) {
  const originIds = Int32Array.from(rows, ([originId]) => originId);
  const offsets = Float64Array.from(rows, ([, offset]) => offset);
  return rowsOrigin({ rowCount: rows.length, originIds, offsets } as unknown as BatchRows);
}

suite('rowsOrigin', () => {
  test('no rows came from nowhere', () => {
    assert.equal(originOf(), null);
  });

  test('rows of one partition came from it, from their first offset to their last', () => {
    assert.deepEqual(originOf([4, 7]), { originId: 4, firstOffset: 7, lastOffset: 7 });
    assert.deepEqual(originOf([4, 7], [4, 8], [4, 12]), { originId: 4, firstOffset: 7, lastOffset: 12 });
  });

  test('of several partitions the one with the most rows counts, over all its runs', () => {
    const runs = [
      [0, 1],
      [1, 50],
      [1, 51],
      [0, 2],
      [0, 3],
    ] as const;
    assert.deepEqual(originOf(...runs), { originId: 0, firstOffset: 1, lastOffset: 3 });
  });

  test('of partitions with as many rows the first counts', () => {
    assert.deepEqual(originOf([2, 9], [1, 5], [1, 6], [2, 10]), { originId: 2, firstOffset: 9, lastOffset: 10 });
  });
});
