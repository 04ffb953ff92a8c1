import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkoutDirectory, runCommand, runForDocument, startCommand, until } from '../support/command.ts';
import type { InspectDocument, RunDocument } from '../support/documents.ts';
import { commandsOf } from '../support/example-commands.ts';

const anyPort = { MILLRACE_PORT: '0' };

describe('as its README says,', () => {
  test('the housing example learns prices', async (t) => {
    const cwd = checkoutDirectory(t);
    const [run = [], evaluate = [], ...others] = commandsOf('housing');
    assert.deepEqual(others, []);
    const { code, stdout } = await runCommand(run, { cwd });
    assert.equal(code, 0);
    assert.match(stdout, /^2500 records: 2500 trained, 0 rejected, 0 filtered, 0 unlabelled, 0 pending$/m);
    assert.match(stdout, /^ {2}main .*\(served\)$/m);
    const { metrics, baseline, recordsPerSecond } = (await runForDocument([...run, '--json'], { cwd })) as RunDocument;
    assert.ok((metrics['mae'] ?? Infinity) < 0.5 * Number(baseline['mae']), 'far better than the mean');
    assert.equal(recordsPerSecond, 0, 'a second run goes on where the first ended');

    const evaluation = await runCommand(evaluate, { cwd });
    assert.equal(evaluation.code, 0);
    assert.match(evaluation.stdout, /^500 records in /);
    assert.match(evaluation.stdout, /^ {2}linear .*\(served\)$/m);
    assert.match(evaluation.stdout, /^ {2}mlp /m);
  });

  test('the weather example plays into a log, and its configuration learns from it', async (t) => {
    const cwd = checkoutDirectory(t);
    const [produce = [], ...others] = commandsOf('weather');
    assert.deepEqual(others, []);
    const { code, stdout } = await runCommand(produce, { cwd });
    assert.equal(code, 0);
    assert.match(stdout, /^26115 records sent to weather/);
    const run = ['run', 'examples/weather/weather.yaml', '--once', '--json'];
    const { records, metrics, baseline } = (await runForDocument(run, { cwd, env: anyPort })) as RunDocument;
    assert.deepEqual([records.read, records.trained], [26_115, 26_065]);
    assert.ok((metrics['mae'] ?? Infinity) < 0.88 * Number(baseline['mae']));
  });

  test('the layers example learns by a model from a file', async (t) => {
    const cwd = checkoutDirectory(t);
    const [run = [], ...others] = commandsOf('layers');
    assert.deepEqual(others, []);
    const { records, metrics, baseline } = (await runForDocument([...run, '--json'], { cwd })) as RunDocument;
    assert.equal(records.trained, 26_065);
    assert.ok((metrics['mae'] ?? Infinity) < 0.9 * Number(baseline['mae']));
  });

  test('the embedded example learns in one process what sensors write in another, stopped and started at will', async (t) => {
    const cwd = checkoutDirectory(t);
    const [produce = [], run = [], inspect = [], ...others] = commandsOf('embedded');
    assert.deepEqual(others, []);
    let learned = 0;
    for (const round of ['first', 'second']) {
      const sensors = startCommand(produce, { cwd });
      await until(() => existsSync(join(cwd, '.millrace/fleet/readings.avsc')), 'the schema');
      const pipeline = startCommand(run, { cwd, env: anyPort });
      const [, url = ''] = await pipeline.says(/live page at (http:\/\/[^ ,]+),/);
      await until(async () => (await trainedOf(url)) > learned + 500, `readings learned in the ${round} round`);
      assert.equal((await fetch(`${url}/v2/health/ready`)).status, 200);
      for (const command of [sensors, pipeline]) command.kill('SIGINT');
      assert.equal((await sensors.ended).code, 0);
      assert.equal((await pipeline.ended).code, 0);
      const { checkpoints } = (await runForDocument([...inspect, '--json'], { cwd })) as InspectDocument;
      const records = checkpoints[0]?.records;
      assert.ok(records !== undefined && records.trained > learned + 500);
      assert.equal(records.read, checkpoints[0]?.positions['readings:0']);
      learned = records.trained;
    }
  });
});

/** Records learned so far, by `/metrics`. */
async function trainedOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^millrace_records_total\{[^}]*outcome="trained"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
}
