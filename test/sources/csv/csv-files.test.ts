import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ConfigError, SourceError } from '../../../src/errors.ts';
import { csvFiles, csvText, csvTopic } from '../../../src/sources/csv/csv-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-files-'));
after(() => {
  rmSync(folder, { recursive: true });
});
mkdirSync(join(folder, 'b'));
for (const name of ['a1.csv', 'a2.csv', 'a10.csv', 'other.txt', 'b/a1.csv']) writeFileSync(join(folder, name), name);

async function textOf(path: string): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of csvText(path)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

suite('csvFiles', () => {
  test('takes a path as it is and a glob in name order', async () => {
    assert.deepEqual(await csvFiles(join(folder, 'a1.csv')), [join(folder, 'a1.csv')]);
    assert.deepEqual(
      await csvFiles(join(folder, 'a*.csv')),
      ['a1.csv', 'a10.csv', 'a2.csv'].map((name) => join(folder, name)),
    );
    assert.deepEqual(
      await csvFiles(join(folder, 'a?.csv')),
      ['a1.csv', 'a2.csv'].map((name) => join(folder, name)),
    );
    assert.deepEqual(await csvFiles(join(folder, '*', 'a1.csv')), [join(folder, 'b', 'a1.csv')]);
  });

  test('names the key, the value and the fix where nothing is found', async () => {
    for (const pattern of ['nowhere.csv', 'nowhere*.csv']) {
      await assert.rejects(csvFiles(join(folder, pattern)), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.code, 'config.missing');
        assert.ok(error.message.startsWith('source.csv.file: '));
        assert.ok(error.message.includes(join(folder, pattern)));
        assert.match(error.message, /check the spelling/);
        return true;
      });
    }
    await assert.rejects(csvFiles(folder, '--csv'), /^ConfigError: --csv: .* is not a file/);
  });

  test('a topic is the base name', () => {
    assert.equal(csvTopic('/data/2013/weather-*.csv.gz'), 'weather-*.csv.gz');
  });
});

suite('csvText', () => {
  test('unpacks gzip, of several members too', async () => {
    const path = join(folder, 'two.csv.gz');
    writeFileSync(path, Buffer.concat([gzipSync('a\n1\n'), gzipSync('2\n')]));
    assert.equal(await textOf(path), 'a\n1\n2\n');
    assert.equal(await textOf(join(folder, 'a1.csv')), 'a1.csv');
  });

  test('says that a cut gzip file is not whole', async () => {
    const path = join(folder, 'cut.csv.gz');
    writeFileSync(path, gzipSync('a\n1\n2\n3\n').subarray(0, 20));
    await assert.rejects(textOf(path), (error) => {
      assert.ok(error instanceof SourceError);
      assert.equal(error.code, 'source.corrupt');
      assert.match(error.message, /cut\.csv\.gz: not a whole gzip file/);
      return true;
    });
  });

  test('says that a file cannot be read', async () => {
    await assert.rejects(textOf(join(folder, 'gone.csv.gz')), (error) => {
      assert.ok(error instanceof SourceError);
      assert.equal(error.code, 'source.unavailable');
      return true;
    });
  });
});
