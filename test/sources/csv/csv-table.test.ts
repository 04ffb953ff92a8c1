import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { ConfigError, SourceError } from '../../../src/errors.ts';
import { readCsvTable } from '../../../src/sources/csv/csv-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-table-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

suite('readCsvTable', () => {
  test('reads the files of a glob, each cell by the type of its whole column', async () => {
    file('t-1.csv', 'n,b,t,s\n1,true,2013-01-01T06:00:00Z,7\n');
    file('t-2.csv', 'n,b,t,s\nNA,,,x\n-2.5,False,2013-01-02,NA\n');
    assert.deepEqual(await readCsvTable(join(folder, 't-*.csv'), '--csv'), {
      columns: [
        { name: 'n', type: 'number' },
        { name: 'b', type: 'boolean' },
        { name: 't', type: 'time' },
        { name: 's', type: 'text' },
      ],
      rows: [
        [1, true, Date.UTC(2013, 0, 1, 6), '7'],
        [null, null, null, 'x'],
        [-2.5, false, Date.UTC(2013, 0, 2), null],
      ],
    });
  });

  test('a header alone is a table without rows', async () => {
    assert.deepEqual((await readCsvTable(file('header.csv', 'a\n'), '--csv')).rows, []);
  });

  test('names the file and the row that cannot be used', async () => {
    await assert.rejects(readCsvTable(file('bad.csv', 'a,b\n1,2\n3,"4"x\n'), '--csv'), (error) => {
      assert.ok(error instanceof SourceError);
      assert.match(error.message, /bad\.csv: row 2 is not CSV/);
      return true;
    });
    await assert.rejects(
      readCsvTable(file('few.csv', 'a,b\n1\n'), '--csv'),
      /row 1 has 1 cells, but there are 2 columns/,
    );
  });

  test('refuses a missing file and files of different headers', async () => {
    await assert.rejects(readCsvTable(join(folder, 'gone.csv'), '--csv'), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^--csv: /);
      return true;
    });
    file('h-1.csv', 'a\n1\n');
    file('h-2.csv', 'b\n1\n');
    await assert.rejects(readCsvTable(join(folder, 'h-*.csv'), '--csv'), /h-2\.csv has the columns b/);
  });
});
