import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cellBoolean, cellNumber, cellTime, inferColumns, isMissing } from '../../../src/sources/csv/csv-types.ts';
import { ConfigError } from '../../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-types-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

suite('cells', () => {
  test('a missing value is empty or NA', () => {
    assert.deepEqual(['', 'NA', 'na', '0', ' '].map(isMissing), [true, true, false, false, false]);
  });

  test('a number is finite, and blank text is none', () => {
    assert.deepEqual(['1', ' 2.5 ', '-3e4', '', ' ', 'x', 'Infinity', 'NaN'].map(cellNumber), [
      1,
      2.5,
      -3e4,
      NaN,
      NaN,
      NaN,
      NaN,
      NaN,
    ]);
  });

  test('a boolean is true or false in any case', () => {
    assert.deepEqual(['true', 'FALSE', 'yes', '1'].map(cellBoolean), [true, false, null, null]);
  });

  test('a time without a zone is UTC, whatever zone the machine is in', () => {
    const noon = Date.UTC(2013, 0, 1, 12);
    for (const text of [
      '2013-01-01T12:00:00Z',
      '2013-01-01 12:00:00',
      '2013-01-01T12:00',
      '2013-01-01T13:00:00+01:00',
      '2013-01-01 12:00:00.000',
      String(noon),
    ]) {
      assert.equal(cellTime(text), noon, text);
    }
    assert.equal(cellTime('2013-01-01'), Date.UTC(2013, 0, 1));
    assert.ok(Number.isNaN(cellTime('yesterday')));
  });
});

suite('inferColumns', () => {
  test('finds numbers, booleans, times and text, and lets a missing value fit any', async () => {
    const path = file(
      'all.csv.gz',
      'n,b,t,s,empty\n1,true,2013-01-01T06:00:00Z,x,NA\nNA,,NA,NA,\n2.5,FALSE,2013-01-01,3,\n',
    );
    assert.deepEqual(await inferColumns(path), [
      { name: 'n', type: 'number' },
      { name: 'b', type: 'boolean' },
      { name: 't', type: 'time' },
      { name: 's', type: 'text' },
      { name: 'empty', type: 'text' },
    ]);
  });

  test('looks at the sample only', async () => {
    const path = file('late.csv', 'n\n1\n2\nthree\n');
    assert.deepEqual(await inferColumns(path, 2), [{ name: 'n', type: 'number' }]);
    assert.deepEqual(await inferColumns(path), [{ name: 'n', type: 'text' }]);
  });

  test('a file with a header only has text columns', async () => {
    assert.deepEqual(await inferColumns(file('header.csv', 'a,b\n')), [
      { name: 'a', type: 'text' },
      { name: 'b', type: 'text' },
    ]);
  });

  test('refuses a file without a header and names that come twice', async () => {
    await assert.rejects(inferColumns(file('empty.csv', '')), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /empty\.csv: the first line must name each column/);
      return true;
    });
    await assert.rejects(inferColumns(file('twice.csv', 'a,a\n1,2\n')), /"a" twice/);
  });
});
