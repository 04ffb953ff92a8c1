import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../scripts/native.js', import.meta.url));
const isSupported = process.platform === 'linux' && process.arch === 'x64';

/** Runs the script with nothing on the PATH but these shell scripts, and with an empty cache. */
function runWith(programs: Readonly<Record<string, string>>, ...options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-native-'));
  try {
    for (const [name, lines] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const env = { PATH: folder, MILLRACE_CACHE: join(folder, 'cache') };
    const { status, stderr } = spawnSync(process.execPath, [script, ...options], { env, encoding: 'utf8' });
    const left = readdirSync(folder).includes('cache') ? readdirSync(join(folder, 'cache', 'native')) : [];
    return { status, stderr, left };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('npm run native', { skip: !isSupported }, () => {
  const works = 'exit 0';

  for (const { name, programs, said } of [
    { name: 'no Python', programs: { 'c++': works }, said: /^no Python with pip was found.*or set PYTHON to it$/ },
    { name: 'no pip', programs: { 'c++': works, python3: 'exit 1' }, said: /^no Python with pip was found/ },
    { name: 'no compiler', programs: { python3: works }, said: /^no C\+\+ compiler was found.*or set CXX to it$/ },
    {
      name: 'a download that pip refuses',
      programs: { 'c++': works, python3: '[ "$3" = --version ] || { echo "HASHES DO NOT MATCH"; exit 1; }' },
      said: /failed: HASHES DO NOT MATCH\npip could not fetch TensorFlow/,
    },
  ]) {
    it(`says what to do about ${name}, and leaves nothing half built`, () => {
      const { status, stderr, left } = runWith(programs, '--gpu');
      assert.equal(status, 1);
      assert.match(stderr.trim(), said);
      assert.deepEqual(left, []);
    });
  }

  it('refuses an option that it does not know, and says which there are', () => {
    const { status, stderr } = runWith({}, '--cuda');
    assert.equal(status, 1);
    assert.match(stderr, /^--cuda: not an option; usage: npm run native \[-- --gpu\]/);
  });
});
