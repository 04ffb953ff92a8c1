import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkoutDirectory,
  runCommand,
  runForDocument,
  runPython,
  startCommand,
  until,
  type RunningCommand,
} from '../support/command.ts';
import type { EvaluateDocument, InspectDocument, LedgerDocument, RunDocument } from '../support/documents.ts';
import { missing } from '../support/requirements.ts';

/** By the rules of labels that come an hour later; `weather.py` counts the same from the file. */
const allSettled = { read: 26_115, trained: 26_065, rejected: 0, filtered: 1, unlabelled: 46, pending: 3 };
const weatherFile = 'examples/weather/weather.csv.gz';
const weatherConfig = 'examples/weather/weather.yaml';
const stateDir = '.millrace/weather/state';
const pageLimitMs = 10_000;

interface WeatherDocument {
  readonly records: typeof allSettled;
  readonly ledger: LedgerDocument;
  readonly year: ScoresDocument;
  readonly december: ScoresDocument;
}

interface ScoresDocument {
  readonly rows: number;
  readonly mae: number;
  readonly baseline: number;
}

const anyPort = { MILLRACE_PORT: '0' };

/** Where the page of a starting command is. */
async function pageOf(command: RunningCommand): Promise<string> {
  const [, url] = await command.says(/live page at (http:\/\/[^ ,]+),/);
  return url ?? '';
}

describe('start', { skip: missing('python3') }, () => {
  test('start --once learns the year with every record accounted for, and a second start says that all is learned', async (t) => {
    const cwd = checkoutDirectory(t);
    const command = { cwd, env: anyPort };
    const summary = (await runForDocument(['start', '--once', '--json'], command)) as RunDocument;
    const expected = (await runPython('weather.py', [weatherFile], { cwd })) as WeatherDocument;
    assert.deepEqual(summary.records, allSettled);
    assert.deepEqual(expected.records, allSettled);
    assert.deepEqual(summary.positions, { 'weather:0': 26_115 });
    assert.match(summary.weightsDigest, /^sha256:[0-9a-f]{64}$/);

    const again = (await runForDocument(['start', '--once', '--json'], command)) as RunDocument;
    assert.deepEqual(again.records, allSettled, 'nothing is learned twice');
    assert.equal(again.weightsDigest, summary.weightsDigest);
    assert.equal(again.recordsPerSecond, 0);

    const live = startCommand(['start'], command);
    await until(() => live.stdout().includes('--fresh'), 'offers to start anew');
    assert.match(live.stdout(), /All readings were learned by earlier starts/);
    assert.match(live.stdout(), /26115 records: 26065 trained/);
    live.kill('SIGTERM');
    assert.equal((await live.ended).code, 0);

    const { checkpoints } = (await runForDocument(['inspect', stateDir, '--json'], command)) as InspectDocument;
    assert.deepEqual(checkpoints[0]?.ledger, { 'weather:0': expected.ledger });

    const fresh = await runCommand(['start', '--once', '--fresh', '--json'], command);
    assert.deepEqual((JSON.parse(fresh.stdout) as RunDocument).records, allSettled);
    assert.equal((JSON.parse(fresh.stdout) as RunDocument).weightsDigest, summary.weightsDigest);
  });

  test('three seeds give three models that beat the last value over the year and in December, as Python finds', async (t) => {
    const cwd = checkoutDirectory(t);
    const play = ['produce', '--log', '.millrace/weather/log', '--topic', 'weather', '--csv', weatherFile];
    const fields = ['--key', 'origin', '--time', 'time_hour', '--schema', 'examples/weather/weather.avsc', '--json'];
    await runForDocument([...play, ...fields], { cwd });
    const digests = new Set<string>();
    for (const seed of ['1', '2', '3']) {
      const predictions = join(cwd, `predictions-${seed}.csv`);
      const evaluate = ['evaluate', weatherConfig, '--seed', seed, '--predictions', predictions, '--json'];
      const evaluation = (await runForDocument(evaluate, { cwd })) as EvaluateDocument;
      const found = (await runPython('weather.py', [weatherFile, predictions], { cwd })) as WeatherDocument;
      assert.ok(found.year.mae <= 0.88 * found.year.baseline, `seed ${seed}: ${JSON.stringify(found.year)}`);
      assert.ok(found.december.mae < found.december.baseline, `seed ${seed}: ${JSON.stringify(found.december)}`);
      assert.ok(Math.abs(found.year.baseline - 1.201) < 0.0005 && Math.abs(found.december.baseline - 1.008) < 0.0005);
      assert.ok(Math.abs((evaluation.metrics['mae'] ?? 0) - found.year.mae) < 1e-9);
      assert.ok(Math.abs((evaluation.baseline.metrics['mae'] ?? 0) - found.year.baseline) < 1e-9);
      digests.add(evaluation.weightsDigest);
    }
    assert.equal(digests.size, 3);
    const learned = (await runForDocument(['start', '--once', '--json', '--seed', '1'], {
      cwd,
      env: anyPort,
    })) as RunDocument;
    assert.ok(digests.has(learned.weightsDigest), 'start --once learns the very model that evaluate scores');
  });

  test('a live start has page and metrics up within ten seconds; killed half-way, it goes on where it was', async (t) => {
    const cwd = checkoutDirectory(t);
    const command = { cwd, env: anyPort };
    const startedMs = performance.now();
    const killed = startCommand(['start'], command);
    const url = await pageOf(killed);
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<html/i);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.ok(performance.now() - startedMs < pageLimitMs, 'page and metrics are up in time');
    assert.match(metrics, /^millrace_records_total\{/m);

    const inspected = async (): Promise<InspectDocument['checkpoints']> =>
      ((await runForDocument(['inspect', stateDir, '--json'], command)) as InspectDocument).checkpoints;
    await until(() => existsSync(join(cwd, stateDir, 'checkpoint-000000000002')), 'two checkpoints');
    killed.kill('SIGKILL');
    await killed.ended;
    const [newest] = await inspected();
    assert.ok(newest !== undefined && newest.step > 0 && newest.records.read < allSettled.read, 'killed half-way');

    const resumed = startCommand(['start', '--once', '--json'], command);
    const [, step] = await resumed.says(/going on from checkpoint-\d+, step (\d+)/);
    assert.equal(Number(step), newest.step);
    const { code, stdout } = await resumed.ended;
    assert.equal(code, 0);
    assert.deepEqual((JSON.parse(stdout) as RunDocument).records, allSettled);
    const expected = (await runPython('weather.py', [weatherFile], { cwd })) as WeatherDocument;
    assert.deepEqual((await inspected())[0]?.ledger, { 'weather:0': expected.ledger });
  });
});
