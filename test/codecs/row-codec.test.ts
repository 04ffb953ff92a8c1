import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueFault } from '../../src/codecs/row-codec.ts';

test('null, empty and too large values are told apart before any format is looked at', () => {
  assert.equal(valueFault(-1, 10)?.reason, 'value.null');
  assert.equal(valueFault(0, 10)?.reason, 'value.empty');
  assert.equal(valueFault(10, 10), null);
  assert.equal(valueFault(11, 10)?.reason, 'value.tooLarge');
});
