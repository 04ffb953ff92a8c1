import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  runCommand,
  runForDocument,
  startCommand,
  temporaryDirectory,
  until,
  type Cleanup,
} from '../support/command.ts';
import type { InspectDocument, RunDocument } from '../support/documents.ts';
import { gaugeConfig, gaugeRows, gaugeStates, writeGauges } from '../support/gauges.ts';
import { letterOffsets } from '../support/letters.ts';

const rowCount = 3000;

interface Gauges {
  readonly config: string;
  readonly state: string;
  readonly deadLetters: string;
  /** Writes the configuration anew with other values for some keys. */
  configure(over: Readonly<Record<string, unknown>>): void;
}

/** A configuration that learns the state of a machine, and its data. */
function makeGauges(t: Cleanup, bad?: (row: number) => boolean): Gauges {
  const dir = temporaryDirectory(t);
  const [data, config, state] = [join(dir, 'gauges.csv'), join(dir, 'gauges.yaml'), join(dir, 'state')];
  writeGauges(data, gaugeRows(rowCount), bad);
  const configure = (over: Readonly<Record<string, unknown>>): void => {
    writeFileSync(config, JSON.stringify({ ...gaugeConfig(data, state), ...over }));
  };
  configure({});
  return { config, state, deadLetters: join(state, 'dead-letters.jsonl'), configure };
}

async function runOnce({ config }: Gauges, ...more: string[]): Promise<RunDocument> {
  return (await runForDocument(['run', config, '--once', '--json', ...more])) as RunDocument;
}

describe('run --once', () => {
  test('learns three classes named by text, better than the majority', async (t) => {
    const gauges = makeGauges(t);
    const summary = await runOnce(gauges);
    assert.deepEqual(summary.records, {
      read: rowCount,
      trained: rowCount,
      rejected: 0,
      filtered: 0,
      unlabelled: 0,
      pending: 0,
    });
    assert.equal(summary.steps, Math.ceil(rowCount / 16));
    assert.deepEqual(Object.keys(summary.metrics), ['accuracy', 'logLoss', 'macroF1', 'kappa']);
    assert.equal(summary.baseline['kind'], 'majority');
    const shares = gaugeStates.map(
      (name) => gaugeRows(rowCount).filter(({ state }) => state === name).length / rowCount,
    );
    const majority = Number(summary.baseline['accuracy']);
    assert.ok(
      Math.abs(majority - Math.max(...shares)) < 0.01,
      `the majority is right as often as it occurs: ${majority}`,
    );
    for (const [name, { metrics }] of Object.entries(summary.models)) {
      const accuracy = metrics['accuracy'] ?? 0;
      assert.ok(accuracy > 0.9 && accuracy < 1, `${name}: ${accuracy}`);
    }
    const { checkpoints, pointer } = (await runForDocument(['inspect', gauges.state, '--json'])) as InspectDocument;
    const [newest] = checkpoints;
    assert.deepEqual(
      [newest?.id, newest?.records, newest?.weightsDigest],
      [pointer, summary.records, summary.weightsDigest],
    );
  });

  test('learns nothing twice; --fresh moves state and dead letters aside and comes to the same model', async (t) => {
    const gauges = makeGauges(t, (row) => row % 100 === 50);
    const first = await runOnce(gauges);
    assert.equal(first.records.rejected, rowCount / 100);
    const letters = Array.from({ length: rowCount / 100 }, (_, n) => 100 * n + 50);
    assert.deepEqual(letterOffsets(gauges.deadLetters), letters);

    const again = await runOnce(gauges);
    assert.deepEqual(again.records, first.records);
    assert.equal(again.weightsDigest, first.weightsDigest);
    assert.equal(again.recordsPerSecond, 0);
    assert.deepEqual(letterOffsets(gauges.deadLetters), letters);

    const fresh = await runOnce(gauges, '--fresh');
    assert.deepEqual(fresh.records, first.records);
    assert.equal(fresh.weightsDigest, first.weightsDigest);
    assert.deepEqual(letterOffsets(gauges.deadLetters), letters);
    const [aside = '', ...others] = readdirSync(gauges.state).filter((name) => name.startsWith('old-'));
    assert.deepEqual(others, []);
    assert.deepEqual(letterOffsets(join(gauges.state, aside, 'dead-letters.jsonl')), letters);
    const old = (await runForDocument(['inspect', join(gauges.state, aside), '--json'])) as InspectDocument;
    assert.equal(old.checkpoints[0]?.weightsDigest, first.weightsDigest);

    const seeded = await runOnce(gauges, '--fresh', '--seed', '2');
    assert.notEqual(seeded.weightsDigest, first.weightsDigest);
  });

  test('refuses the state of another pipeline by the names of the keys that differ, and takes other settings freely', async (t) => {
    const gauges = makeGauges(t);
    const first = await runOnce(gauges);
    gauges.configure({ features: ['heat'], models: { main: { mlp: { hidden: [8] } } } });
    const { code, stderr, stdout } = await runCommand(['run', gauges.config, '--once', '--json']);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /features: the checkpoint has .*"vibration".*, the configuration .*"heat"/);
    assert.match(stderr, /models: the checkpoint has .*16.*, the configuration .*8/);
    assert.match(stderr, /--fresh/);
    assert.doesNotMatch(stderr, /target:|normalize:/);

    gauges.configure({
      training: { optimizer: 'sgd', learningRate: 0.1 },
      batch: { rows: 64 },
      checkpoint: { dir: gauges.state, every: '1s' },
    });
    assert.deepEqual((await runOnce(gauges)).records, first.records);
  });

  test('exits with 1 where most records cannot be used, and says so', async (t) => {
    const gauges = makeGauges(t, (row) => row >= 1000 && row % 4 !== 0);
    const { code, stderr } = await runCommand(['run', gauges.config, '--once', '--json']);
    assert.equal(code, 1);
    assert.match(stderr, /reading has stopped: \d+ % of the last records cannot be used, more than limits.rejectRatio/);
  });
});

test('a service stays up where most records cannot be used, is not ready, and says why', async (t) => {
  const gauges = makeGauges(t, (row) => row >= 1000 && row % 4 !== 0);
  const command = startCommand(['run', gauges.config]);
  const [, url = ''] = await command.says(/live page at (http:\/\/[^ ,]+),/);
  await command.says(/reading has stopped/);
  await until(() => command.stdout().includes('rejected'), 'the scores so far');
  const ready = await fetch(`${url}/v2/health/ready`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /cannot be used, more than limits\.rejectRatio/);
  assert.equal((await fetch(`${url}/v2/health/live`)).status, 200);
  assert.ok(command.isRunning());
  assert.ok(existsSync(gauges.deadLetters));
  command.kill('SIGTERM');
  assert.equal((await command.ended).code, 0);
});
