import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { schemaFile } from '../../src/codecs/schema-file.ts';
import { ConfigError } from '../../src/errors.ts';

test('a file stands for one id, and every other id is unknown', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-schema-'));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'reading.avsc');
  writeFileSync(file, '{"type":"record","name":"R","fields":[]}');
  const { signal } = new AbortController();
  assert.match((await schemaFile(file).schema(1, signal)) ?? '', /record/);
  assert.equal(await schemaFile(file).schema(2, signal), null);
  assert.match((await schemaFile(file, 0).schema(0, signal)) ?? '', /record/);
  writeFileSync(file, '{"type":"object"}');
  assert.throws(() => schemaFile(file), ConfigError);
  assert.throws(() => schemaFile(join(folder, 'nothing')), ConfigError);
});
