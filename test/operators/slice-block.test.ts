import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sliceBlock } from '../../src/operators/slice-block.ts';
import { recordBlock } from '../support/blocks.ts';

test('slices have the records of the block, and only the last ends and is released as it does', () => {
  const count = { releases: 0 };
  const cells = [['a'], ['bb'], ['']];
  const block = {
    ...recordBlock(['a', 'bb', null], { firstOffset: 5, nextOffset: 20, cells, count }),
    headers: (index: number) => [{ key: String(index), value: null }],
  };
  const first = sliceBlock(block, 0, 2);
  const last = sliceBlock(block, 2, 3);
  const valueOf = (slice: typeof block, index: number): string =>
    slice.bytes.toString('utf8', slice.valueStarts[index], slice.valueStarts[index]! + slice.valueLengths[index]!);
  assert.deepEqual([valueOf(block, 1), first.recordCount, last.recordCount, last.valueLengths[0]], ['bb', 2, 1, -1]);
  assert.deepEqual([...first.offsets, ...last.offsets], [5, 6, 7]);
  assert.deepEqual([first.nextOffset, last.nextOffset], [7, 20]);
  assert.deepEqual([first.cells, last.cells], [[['a'], ['bb']], [['']]]);
  assert.equal(last.headers(0)[0]?.key, '2');
  first.release();
  assert.equal(count.releases, 0);
  last.release();
  assert.equal(count.releases, 1);
  assert.equal(sliceBlock(block, 0, 3), block);
});
