import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTimeMs } from '../../src/codecs/iso-time.ts';

test('ISO times with a zone, without one (UTC), and dates become Unix milliseconds', () => {
  assert.equal(isoTimeMs('2013-01-01T06:00:00Z'), Date.UTC(2013, 0, 1, 6));
  assert.equal(isoTimeMs('2013-01-01T06:00:00+01:00'), Date.UTC(2013, 0, 1, 5));
  assert.equal(isoTimeMs('2013-01-01T06:00:00.250'), Date.UTC(2013, 0, 1, 6, 0, 0, 250));
  assert.equal(isoTimeMs('2013-01-01 06:00'), Date.UTC(2013, 0, 1, 6));
  assert.equal(isoTimeMs('2013-01-01'), Date.UTC(2013, 0, 1));
});

test('anything else is no time', () => {
  for (const text of ['', 'yesterday', '2013', '1/2/2013', '2013-13-01', '2013-01-01T25:00:00Z', '1356998400000']) {
    assert.ok(Number.isNaN(isoTimeMs(text)), text);
  }
});
