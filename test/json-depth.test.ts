import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isTooDeep as isDeeper } from '../src/json-depth.ts';

suite('isTooDeep', () => {
  const isTooDeep = (text: string): boolean => isDeeper(Buffer.from(text), 64);
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

  test('takes 64 levels of arrays and objects, and refuses 65', () => {
    assert.equal(isTooDeep(nested(64)), false);
    assert.equal(isTooDeep(nested(65)), true);
    assert.equal(isTooDeep(`${'{"a":['.repeat(32)}${']}'.repeat(32)}`), false);
    assert.equal(isTooDeep(`[${'{"a":['.repeat(32)}${']}'.repeat(32)}]`), true);
  });

  test('counts what is open, not what comes one behind the other', () => {
    assert.equal(isTooDeep(`[${'[],{"a":{}},'.repeat(1000)}0]`), false);
  });

  test('passes over texts, with quotes and backslashes in them', () => {
    assert.equal(isTooDeep(JSON.stringify({ ['{'.repeat(100)]: `"${'['.repeat(100)}\\`, a: '\\"[' })), false);
    assert.equal(isTooDeep(`["\\\\",${nested(64)}]`), true);
  });

  test('stops where it finds that, also in a text that is no JSON', () => {
    assert.equal(isTooDeep('['.repeat(1_000_000)), true);
    assert.equal(isTooDeep('"\\'), false);
    assert.equal(isTooDeep(''), false);
  });
});
