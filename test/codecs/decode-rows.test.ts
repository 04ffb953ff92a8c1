import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRows, putField } from '../../src/codecs/decode-rows.ts';
import { SinkPool } from '../../src/codecs/sink-pool.ts';
import { recordBlock } from '../support/blocks.ts';

const plan = { numbers: ['a'], texts: [], times: [] };

test('each record becomes a row or is rejected; a value beyond the limits is not even read', () => {
  const read: number[] = [];
  const rejected: unknown[] = [];
  const { recordIndexes, numbers } = decodeRows(
    recordBlock(['1', null, '', '22222', 'x', '6']),
    new SinkPool(plan),
    3,
    (index, sink) => {
      read.push(index);
      const put = (to: typeof sink, column: number, value: number) => to.putNumber(column, value);
      return putField(sink, { name: 'a', column: 0, put }, index === 4 ? NaN : index);
    },
    (...fault) => rejected.push(fault),
  );
  assert.deepEqual(
    [[...recordIndexes], [...numbers[0]!]],
    [
      [0, 5],
      [0, 5],
    ],
  );
  assert.deepEqual(read, [0, 4, 5]);
  assert.deepEqual(rejected, [
    [1, 'value.null', 'the value is null (a tombstone)'],
    [2, 'value.empty', 'the value has no bytes'],
    [3, 'value.tooLarge', '5 bytes, more than limits.valueBytes (3)'],
    [4, 'field.notFinite', 'a: NaN'],
  ]);
});
