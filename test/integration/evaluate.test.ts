import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { acquireLock, isLock } from '../../src/process-lock.ts';
import { projectRoot, runCommand, runForDocument, runPython, temporaryDirectory } from '../support/command.ts';
import type { EvaluateDocument } from '../support/documents.ts';
import { gaugeConfig, gaugeRows, writeGauges } from '../support/gauges.ts';
import { missing } from '../support/requirements.ts';

const housing = join(projectRoot, 'examples/housing/housing.csv');
const homes = 500;

interface Evaluated extends EvaluateDocument {
  /** Cells of the predictions file by line, header left out. */
  readonly lines: readonly string[];
  readonly header: string;
}

/** Runs `evaluate` and reads the predictions that it wrote to `file`. */
async function evaluate(file: string, ...args: string[]): Promise<Evaluated> {
  const document = (await runForDocument(['evaluate', ...args, '--predictions', file, '--json'])) as EvaluateDocument;
  const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return { ...document, header, lines };
}

/** Asserts that the scores of the document are those that Python finds in the file. */
async function assertScores(file: string, { metrics, lines }: Evaluated): Promise<void> {
  const found = (await runPython('scores.py', [file])) as { rows: number; metrics: Record<string, number> };
  assert.equal(found.rows, lines.length);
  assert.deepEqual(Object.keys(metrics), Object.keys(found.metrics));
  for (const [name, value] of Object.entries(found.metrics)) {
    const gap = Math.abs((metrics[name] ?? NaN) - value) / Math.max(1, Math.abs(value));
    assert.ok(gap < 1e-9, `${name}: ${metrics[name]} here, ${value} in Python`);
  }
}

/** What of a document does not depend on how fast the machine is. */
function lasting({ seconds, recordsPerSecond, ...rest }: Evaluated): unknown {
  assert.ok(seconds > 0 && recordsPerSecond > 0);
  return rest;
}

/** Contents of all files below a directory, by path. */
function filesBelow(dir: string): Map<string, string> {
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [path, readFileSync(path, 'latin1')]));
}

describe('evaluate', { skip: missing('python3') }, () => {
  test('scores a regression over any CSV file, the same for the same seed, as Python does', async (t) => {
    const file = join(temporaryDirectory(t), 'predictions.csv');
    const of = (seed: string): Promise<Evaluated> =>
      evaluate(file, '--csv', housing, '--target', 'price', '--model', 'mlp,linear', '--seed', seed);
    const first = await of('1');
    assert.deepEqual([first.records, first.task, first.model], [homes, 'regression', 'mlp']);
    assert.deepEqual(Object.keys(first.models), ['mlp', 'linear']);
    for (const report of [first.baseline, ...Object.values(first.models)]) {
      assert.deepEqual(Object.keys(report.metrics), ['mae', 'rmse', 'r2']);
      assert.equal(report.scored, homes);
    }
    assert.equal(first.baseline.kind, 'mean');
    assert.equal(first.header, 'row,prediction,target');
    assert.deepEqual(
      first.lines.map((line) => Number(line.split(',')[0])),
      [...Array(homes).keys()],
      'in file order',
    );
    await assertScores(file, first);
    assert.deepEqual(lasting(await of('1')), lasting(first));
    assert.notDeepEqual((await of('2')).lines, first.lines);
  });

  test('takes text for classes and scores them as Python does', async (t) => {
    const dir = temporaryDirectory(t);
    const [data, file] = [join(dir, 'gauges.csv'), join(dir, 'predictions.csv')];
    writeGauges(data, gaugeRows(2000));
    for (const model of ['linear', 'mlp', 'majority']) {
      const result = await evaluate(file, '--csv', data, '--target', 'state', '--model', model);
      assert.deepEqual([result.records, result.task, result.model], [2000, 'classification', model]);
      assert.match(result.header, /^row,prediction,target,p:\w+,p:\w+,p:\w+$/);
      assert.equal(result.baseline.kind, 'majority');
      await assertScores(file, result);
      assert.match(result.lines[0] ?? '', /^0,,\w+,0,0,0$/, 'no class is known before the first row');
    }
  });

  test('takes numbers for classes where told to', async (t) => {
    const file = join(temporaryDirectory(t), 'predictions.csv');
    const result = await evaluate(file, '--csv', housing, '--target', 'rooms', '--task', 'classification');
    assert.equal(result.task, 'classification');
    assert.equal(result.model, 'linear');
    await assertScores(file, result);
  });

  for (const [name, target, model, changed] of [
    ['a price', 'price', 'mlp', '1'],
    ['a state', 'state', 'linear', 'overheated'],
  ] as const) {
    test(`does not know ${name} before it has predicted it`, async (t) => {
      const dir = temporaryDirectory(t);
      const [data, file] = [join(dir, 'data.csv'), join(dir, 'predictions.csv')];
      if (target === 'price') writeFileSync(data, readFileSync(housing));
      else writeGauges(data, gaugeRows(homes));
      const args = ['--csv', data, '--target', target, '--model', model];
      const before = await evaluate(file, ...args);
      const row = 200;
      const lines = readFileSync(data, 'utf8').split('\n');
      const cells = lines[row + 1]?.split(',') ?? [];
      assert.notEqual(cells.at(-1), changed);
      lines[row + 1] = [...cells.slice(0, -1), changed].join(',');
      writeFileSync(data, lines.join('\n'));
      const after = await evaluate(file, ...args);
      const predictions = ({ lines: all }: Evaluated): string[] =>
        all.map((line) => line.split(',').toSpliced(2, 1).join(','));
      assert.deepEqual(predictions(after).slice(0, row + 1), predictions(before).slice(0, row + 1));
      assert.notDeepEqual(predictions(after).slice(row + 1), predictions(before).slice(row + 1));
    });
  }

  for (const batch of ['1', '8']) {
    test(`predicts with linear and plain SGD what an independent implementation predicts, ${batch} at a time`, async (t) => {
      const dir = temporaryDirectory(t);
      const [config, file, rate] = [join(dir, 'linear.yaml'), join(dir, 'predictions.csv'), 0.02];
      const document = {
        name: 'linear',
        source: { csv: { file: housing } },
        features: ['area', 'rooms'],
        target: 'price',
        training: { optimizer: 'sgd', learningRate: rate },
      };
      writeFileSync(config, JSON.stringify(document));
      const { metrics } = await evaluate(file, config, '--batch', batch);
      const args = [housing, 'price', batch, String(rate), file];
      const gaps = (await runPython('linear_sgd.py', args)) as { rows: number; absolute: number; relative: number };
      assert.equal(gaps.rows, homes);
      assert.ok(gaps.relative < 1e-5, JSON.stringify(gaps));
      assert.ok((metrics['r2'] ?? 0) > 0.5, 'and it has learned');
    });
  }

  test('leaves state and dead letters alone, even while another process uses them', async (t) => {
    const dir = temporaryDirectory(t);
    const [data, config, state, letters] = ['gauges.csv', 'gauges.yaml', 'state', 'letters.jsonl'].map((name) =>
      join(dir, name),
    ) as [string, string, string, string];
    writeGauges(data, gaugeRows(2000), (row) => row % 10 === 3);
    writeFileSync(config, JSON.stringify({ ...gaugeConfig(data, state), deadLetter: { file: letters } }));
    const found = await runCommand(['evaluate', config, '--json']);
    assert.equal(found.code, 0);
    assert.match(found.stderr, /200 records cannot be used:\n {2}record 3: field\.type: heat/);
    assert.deepEqual(readdirSync(dir).sort(), ['gauges.csv', 'gauges.yaml']);

    await runForDocument(['run', config, '--once', '--json']);
    const before = filesBelow(dir);
    assert.ok(before.size > 10);
    const lock = acquireLock(join(state, 'lock'));
    assert.ok(isLock(lock));
    const again = await runCommand(['evaluate', config, '--json']);
    lock.release();
    assert.deepEqual(
      (JSON.parse(again.stdout) as EvaluateDocument).metrics,
      (JSON.parse(found.stdout) as EvaluateDocument).metrics,
    );
    assert.deepEqual(filesBelow(dir), before);
  });
});
