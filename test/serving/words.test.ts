import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baselineWords, countOf, durationOf, percentOf, scoreOf } from '../../src/serving/words.ts';

test('numbers read as people write them', () => {
  assert.equal(countOf(1240.4), '1,240');
  assert.equal(percentOf(0.1478), '14.8 %');
  assert.equal(scoreOf(1.20149), '1.201');
  assert.equal(scoreOf(0.0123456), '0.0123');
  assert.deepEqual([0.31, 12.4, 300, 7300, 200_000].map(durationOf), ['0.3 s', '12 s', '5 min', '2 h', '2 d']);
  assert.deepEqual(['lastValue', 'mean', 'majority'].map(baselineWords), [
    'last value',
    'the mean',
    'the majority class',
  ]);
});
