import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { projectRoot } from '../support/command.ts';

const program = join(projectRoot, 'bin/millrace.js');

/** Runs a command whose output on one stream nobody reads: how it ends, and what it says on the other. */
async function withClosed(stream: 'stdout' | 'stderr', args: readonly string[]): Promise<[number | null, string]> {
  const child = spawn(process.execPath, [program, ...args], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
  child[stream].destroy();
  const other = text(stream === 'stdout' ? child.stderr : child.stdout);
  const [code] = (await once(child, 'exit')) as [number | null];
  return [code, await other];
}

describe('a reader that goes away ends the output, not the command:', () => {
  for (const args of [
    ['validate', 'examples/weather/weather.yaml'],
    ['validate', 'examples/weather/weather.yaml', '--json'],
    ['run', '--help'],
    ['evaluate', '--csv', 'examples/housing/housing.csv', '--target', 'price'],
  ]) {
    test(args.join(' '), async () => {
      assert.deepEqual(await withClosed('stdout', args), [0, '']);
    });
  }

  test('an error keeps its exit code', async () => {
    assert.deepEqual(await withClosed('stderr', ['validate', 'no-such.yaml']), [2, '']);
  });
});
