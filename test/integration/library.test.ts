import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkoutDirectory, projectRoot, startProcess, until, type RunningCommand } from '../support/command.ts';

/** Starts one of `examples/library`, which imports `millrace` as any program does. */
function startExample(name: string, cwd: string, env: Readonly<Record<string, string>> = {}): RunningCommand {
  const tsx = join(projectRoot, 'node_modules/tsx/dist/loader.mjs');
  return startProcess(process.execPath, ['--import', tsx, join(projectRoot, `examples/library/${name}.ts`)], {
    cwd,
    env: { TSX_TSCONFIG_PATH: join(projectRoot, 'tsconfig.json'), ...env },
  });
}

async function outputOf(name: string, cwd: string): Promise<string> {
  const { code, stdout, stderr } = await startExample(name, cwd).ended;
  assert.equal(code, 0, stderr);
  return stdout;
}

describe('as a library,', () => {
  test('Millrace learns from an Observable, and a second run goes on where the first ended', async (t) => {
    const cwd = checkoutDirectory(t);
    for (const round of ['first', 'second']) {
      const [, records, error, baseline] =
        /^(\d+) readings learned: mae (\S+), of their mean (\S+)\n$/.exec(await outputOf('observable', cwd)) ?? [];
      assert.equal(Number(records), 4688, `the ${round} run`);
      assert.ok(Number(error) < 0.5 * Number(baseline));
    }
  });

  test('it reads a source of the program, whose bad records are dead letters', async (t) => {
    const output = await outputOf('custom-source', checkoutDirectory(t));
    assert.match(output, /^3001 lines: 3000 learned, 1 rejected; mae 0\.\d\d\n$/);
  });

  test('an operator of the program stands in a chain put together by hand', async (t) => {
    assert.match(await outputOf('custom-operator', checkoutDirectory(t)), /^2500 rows learned: mae \d{5}\n$/);
  });

  test('a Fastify app learns from what is posted, answers with it, and saves it when it is told to end', async (t) => {
    const cwd = checkoutDirectory(t);
    const app = startExample('fastify', cwd, { PORT: '0' });
    await until(() => app.stdout() !== '' || !app.isRunning(), 'the app listens');
    const url = app.stdout().trim();
    const headers = { 'content-type': 'application/json' };
    const predict = (): Promise<Response> => fetch(`${url}/turbines/t1/power?windSpeed=8`);
    assert.equal((await predict()).status, 503, 'nothing is learned yet');
    for (let reading = 0; reading < 500; reading += 1) {
      const windSpeed = 3 + (reading % 20) / 2;
      const body = JSON.stringify({ turbine: 't1', windSpeed, power: 100 * windSpeed - 50 });
      assert.equal((await fetch(`${url}/readings`, { method: 'POST', headers, body })).status, 202);
    }
    const isClose = async (): Promise<boolean> => {
      const { value } = (await (await predict()).json()) as { value?: number };
      return value !== undefined && Math.abs(value - 750) < 100;
    };
    await until(isClose, 'a good prediction');
    app.kill('SIGTERM');
    const { code, stderr } = await app.ended;
    assert.equal(code, 0, stderr);
  });
});
