// Does what CI does: every check of the code as it stands, the tests last.
import { spawnSync } from 'node:child_process';

const steps = [
  ['format', 'npx', ['prettier', '--check', '--log-level=warn', '.']],
  ['lint', 'npx', ['eslint', '--max-warnings=0', '.']],
  ['types', 'npx', ['tsc', '--noEmit']],
  ['import table', 'node', ['scripts/imports.js']],
  ['unused code', 'npx', ['knip']],
  ['generated docs', 'npm', ['run', '--silent', 'docs', '--', '--check']],
  ['library reference', 'npx', ['typedoc', '--emit', 'none', '--logLevel', 'Warn']],
  ['package', 'npm', ['run', '--silent', 'check:package']],
  ['bench (short)', 'npm', ['run', '--silent', 'bench', '--', '--short']],
  ['tests', 'npm', ['test', '--silent']],
];

for (const [name, command, args] of steps) {
  const startedAt = Date.now();
  console.log(`▶ ${name}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`✖ ${name} failed: ${command} ${args.join(' ')}`);
    process.exit(1);
  }
  if (name !== 'tests') console.log(`✔ ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
}
