import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LruMap } from '../../src/codecs/lru-map.ts';

test('the entry used longest ago leaves first, and reading counts as use', () => {
  const map = new LruMap<number, string>(2);
  map.set(1, 'a');
  map.set(2, 'b');
  assert.equal(map.get(1), 'a');
  map.set(3, 'c');
  assert.equal(map.get(2), undefined);
  assert.equal(map.get(1), 'a');
  assert.equal(map.get(3), 'c');
  assert.equal(map.size, 2);
});
