// Runs the tests that this machine can run: `node scripts/test.js [unit|integration|FILE…]`, everything without arguments.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const slow = ['test/integration', 'test/faults'];
const isSlow = (file) => slow.some((folder) => file.startsWith(folder));

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith('.test.ts') ? [path] : [];
    })
    .sort();
}

const asked = process.argv.slice(2);
const all = testFiles('test');
const files =
  asked.length === 0
    ? all
    : asked.flatMap((name) => {
        if (name === 'unit') return all.filter((file) => !isSlow(file));
        if (name === 'integration') return all.filter(isSlow);
        if (existsSync(name)) return [name];
        throw new Error(`${name}: neither a suite (unit, integration) nor a file`);
      });

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-reporter=spec', '--test-concurrency=2', ...files],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
