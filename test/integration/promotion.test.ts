import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, suite, test } from 'node:test';
import type { VersionList } from '../../src/client.ts';
import type { PromotionDecision } from '../../src/records.ts';
import type { PipelineStatus } from '../../src/serving/status.ts';
import { LogWriter } from '../../src/sources/log/log-writer.ts';
import {
  runCommand,
  runForDocument,
  startCommand,
  temporaryDirectory,
  until,
  type Cleanup,
  type RunningCommand,
} from '../support/command.ts';
import { modelFile, type LayerJson } from '../support/model-files.ts';
import { plantRecord, poisonedStream, poisons, type PlantRecord, type Poison } from '../support/poisoned-stream.ts';

const batchRows = 20;
const stepsPerCheckpoint = 30;
/** Records between two checkpoints. */
const interval = batchRows * stepsPerCheckpoint;
/** In checkpoints: long enough to learn, to be poisoned, and to see what comes of it. */
const [healthy, poisoned, after] = [20, 10, 12];

const numberOf = (id: string): number => Number(id.slice('checkpoint-'.length));
const idOf = (number: number): string => `checkpoint-${String(number).padStart(12, '0')}`;

function plantConfig(
  t: Cleanup,
  over: Readonly<Record<string, unknown>>,
): { readonly file: string; readonly dir: string } {
  const dir = temporaryDirectory(t);
  const file = join(dir, 'plant.yaml');
  const config = {
    name: 'plant',
    key: 'unit',
    time: 'at',
    features: ['flow', 'valve'],
    target: 'output',
    batch: { rows: batchRows },
    models: { main: { mlp: { hidden: [16] } } },
    backend: 'cpu',
    training: { learningRate: 0.005 },
    checkpoint: { dir: join(dir, 'state'), every: `${stepsPerCheckpoint} steps` },
    http: { port: 0 },
    ...over,
  };
  writeFileSync(file, JSON.stringify(config));
  return { file, dir };
}

/** What `run --once` over these records decides, in order. */
async function decisionsOver(
  t: Cleanup,
  records: readonly PlantRecord[],
  over: Readonly<Record<string, unknown>> = {},
): Promise<readonly PromotionDecision[]> {
  const data = join(temporaryDirectory(t), 'plant.csv');
  writeFileSync(
    data,
    `unit,at,flow,valve,output\n${records.map((each) => Object.values(each).join(',')).join('\n')}\n`,
  );
  const columns = { unit: 'text', at: 'time', flow: 'number', valve: 'number', output: 'number' };
  const { file } = plantConfig(t, { source: { csv: { file: data, columns } }, ...over });
  const { code, stderr } = await runCommand(['run', file, '--once']);
  assert.equal(code, 0, stderr);
  return stderr
    .split('\n')
    .filter((line) => line.includes('"decision"'))
    .map((line) => (JSON.parse(line) as { decision: PromotionDecision }).decision);
}

const promotedBetween = (decisions: readonly PromotionDecision[], from: number, to: number): readonly number[] =>
  decisions
    .filter(({ action }) => action === 'promoted')
    .map(({ version }) => numberOf(version))
    .filter((number) => number > from && number <= to);

describe('a poisoned segment never reaches the served model', () => {
  const overs = {
    'without a horizon': {},
    'with labels that come later': { target: { field: 'output', horizon: '8s' } },
  };
  for (const [how, over] of Object.entries(overs)) {
    for (const [name, poison] of Object.entries(poisons)) {
      test(`${name}, ${how}`, async (t) => {
        const [from, to] = [healthy, healthy + poisoned];
        const records = poisonedStream((to + after) * interval, from * interval, to * interval, poison);
        const decisions = await decisionsOver(t, how === 'without a horizon' ? records : labelledLater(records), over);
        const before = promotedBetween(decisions, 0, from);
        assert.ok(before.length > from / 2, `most healthy versions are served: ${before.join()}`);
        assert.deepEqual(promotedBetween(decisions, from, to), []);
        assert.ok(decisions.every(({ action }) => action === 'promoted' || action === 'held' || action === 'returned'));
        const judged = decisions.filter(({ action, version }) => action === 'held' && numberOf(version) > from + 1);
        for (const { version, past } of judged.filter(({ version: id }) => numberOf(id) <= to))
          assert.ok(past!.atMost > 1, `${version} is held for what it does on healthy rows`);
        // What is promoted afterwards is as good on healthy rows as what was served before.
        for (const number of promotedBetween(decisions, to, Infinity)) {
          const { recent } = decisions.find(({ version }) => version === idOf(number))!;
          assert.ok(recent!.loss < 1, `${idOf(number)} has recovered: ${recent!.loss}`);
        }
      });
    }
  }

  test('and a model from a file is judged as any other', async (t) => {
    const layers: readonly LayerJson[] = [
      ['Dense', { units: 16, activation: 'relu', batch_input_shape: [null, 2] }],
      ['Dense', { units: 1 }],
    ];
    const models = { main: { layers: { file: modelFile(temporaryDirectory(t), layers) } } };
    const [from, to] = [healthy, healthy + poisoned];
    const records = poisonedStream(to * interval, from * interval, to * interval, poisons['labels of the wrong sign']!);
    const decisions = await decisionsOver(t, records, { models });
    assert.ok(promotedBetween(decisions, 0, from).length > from / 2);
    assert.deepEqual(promotedBetween(decisions, from, to), []);
  });

  test('and classes that are swapped neither', async (t) => {
    const swap: Poison = (record) => record;
    const records = poisonedStream((healthy + poisoned) * interval, 0, 0, swap).map((record, n) => {
      const isHigh = record.output > 10;
      return { ...record, output: (n < healthy * interval ? isHigh : !isHigh) ? 'high' : 'low' };
    });
    const target = { field: 'output', task: 'classification' };
    const columns = { unit: 'text', at: 'time', flow: 'number', valve: 'number', output: 'text' };
    const data = join(temporaryDirectory(t), 'classes.csv');
    writeFileSync(
      data,
      `unit,at,flow,valve,output\n${records.map((each) => Object.values(each).join(',')).join('\n')}\n`,
    );
    const decisions = await decisionsOver(t, [], { source: { csv: { file: data, columns } }, target });
    assert.ok(promotedBetween(decisions, 0, healthy).length > healthy / 2);
    assert.deepEqual(promotedBetween(decisions, healthy, healthy + poisoned), []);
  });
});

test('a world that really changes is served after about three quarters of what the gate remembers', async (t) => {
  const memory = 20;
  const records = Array.from({ length: (healthy + 20) * interval }, (_, n) =>
    plantRecord(n, n < healthy * interval ? 0 : 1),
  );
  const decisions = await decisionsOver(t, records, { promotion: { memory } });
  const [first = 0] = promotedBetween(decisions, healthy, Infinity);
  assert.ok(first >= healthy + 0.6 * memory && first <= healthy + 0.9 * memory, `${first - healthy} of ${memory}`);
});

/** The target of each record is what the records of its unit say 8 s later, as the horizon asks for. */
function labelledLater(records: readonly PlantRecord[]): PlantRecord[] {
  return records.map((record, n) => ({ ...record, output: records[n - 8]?.output ?? record.output }));
}

suite('a running pipeline that is poisoned', () => {
  test('goes on serving, says so everywhere, takes orders, and remembers them', async (t) => {
    const dir = temporaryDirectory(t);
    const source = { log: { dir, topic: 'plant' } };
    const http = { port: 0, token: '${PLANT_TOKEN}' };
    const { file } = plantConfig(t, { source, decode: 'json', http });
    const env = { PLANT_TOKEN: 'secret' };
    const stream = poisonedStream(
      (healthy + poisoned) * interval,
      healthy * interval,
      (healthy + poisoned) * interval,
      poisons['labels of the wrong sign']!,
    );
    await append(dir, stream.slice(0, healthy * interval));
    let pipeline = startCommand(['run', file], { env });
    let url = await pageOf(pipeline);
    const versions = async (): Promise<VersionList> => (await (await fetch(`${url}/v1/models`)).json()) as VersionList;
    const isJudged = async (number: number): Promise<boolean> => {
      const [newest] = (await versions()).versions;
      return newest?.id === idOf(number) && newest.decision !== null;
    };
    await until(() => isJudged(healthy), 'all is learned');
    const good = await versions();
    const promoted = numberOf(good.served!);
    const record = { unit: 'u1', flow: 5, valve: 0 };
    const value = async (): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/v1/predict`, { method: 'POST', headers, body: JSON.stringify(record) });
      return ((await answer.json()) as { value: number }).value;
    };
    const wanted = 10;
    assert.ok(Math.abs((await value()) - wanted) < 1);

    await append(dir, stream.slice(healthy * interval));
    await until(() => isJudged(healthy + poisoned), 'the poison is learned');
    const { served, heldInARow, versions: listed } = await versions();
    assert.equal(served, good.served, 'what was served before is served');
    assert.ok(Math.abs((await value()) - wanted) < 1, 'and predicts as before');
    assert.ok(heldInARow >= 2, `${heldInARow} held`);
    assert.match(listed[0]!.decision!.message, /^on older rows its loss is \d+ % above/);
    assert.ok(
      listed.some(({ id, isServed }) => id === served && isServed),
      'it is kept though it is not among the newest',
    );

    const status = await statusOf(url);
    assert.match(status.sentence, /But since .*: newer models are held back, checkpoint-\d+ is served: on older rows/);
    assert.deepEqual([status.serving?.served.id, status.serving?.newest.id], [served, idOf(healthy + poisoned)]);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const sample of [
      `millrace_served_version ${promoted}`,
      `millrace_newest_version ${healthy + poisoned}`,
      `millrace_versions_held_in_a_row ${heldInARow}`,
    ])
      assert.ok(metrics.includes(`\n${sample}\n`), sample);

    const models = (...words: string[]): Promise<unknown> => runForDocument(['models', ...words, '--json'], { env });
    assert.deepEqual(await models('list', file), await versions());
    const stranger = await runCommand(['models', 'rollback', file, '--url', url], { env: { PLANT_TOKEN: 'guess' } });
    assert.deepEqual([stranger.code, /bearer token/.test(stranger.stderr)], [1, true]);
    const before = good.previous!;
    const rolledBack = (await models('rollback', file, '--url', url)) as VersionList;
    assert.deepEqual([rolledBack.served, rolledBack.isPinned], [before, true]);
    const pinned = (await models('pin', file, served!, '--url', url)) as VersionList;
    assert.deepEqual([pinned.served, pinned.isPinned], [served, true]);

    pipeline.kill('SIGKILL');
    await pipeline.ended;
    pipeline = startCommand(['run', file], { env });
    url = await pageOf(pipeline);
    await until(async () => (await fetch(`${url}/v2/health/ready`)).ok, 'it stands again');
    assert.deepEqual([(await versions()).served, (await versions()).isPinned], [served, true]);
    assert.ok(Math.abs((await value()) - wanted) < 1);
    pipeline.kill('SIGTERM');
    assert.equal((await pipeline.ended).code, 0);

    const unpinned = (await models('unpin', file)) as VersionList;
    assert.deepEqual([unpinned.served, unpinned.isPinned], [served, false], 'offline too');
    const none = await runCommand(['models', 'pin', file, idOf(99)], { env });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /there is no version checkpoint-000000000099/);
    assert.ok(existsSync(join(file, '..', 'state', served!)));
  });
});

async function append(dir: string, records: readonly PlantRecord[]): Promise<void> {
  const writer = await LogWriter.open({ dir, topic: 'plant', partition: 0 });
  for (let start = 0; start < records.length; start += interval) {
    writer.append(
      records.slice(start, start + interval).map((record) => ({
        key: Buffer.from(record.unit),
        value: Buffer.from(JSON.stringify(record)),
        timestampMs: record.at,
      })),
    );
  }
  writer.close();
}

async function pageOf(command: RunningCommand): Promise<string> {
  const [, url = ''] = await command.says(/live page at (http:\/\/[^ ,]+),/);
  return url;
}

/** The first document of `/events`. */
async function statusOf(url: string): Promise<PipelineStatus> {
  const { body } = await fetch(`${url}/events`);
  let text = '';
  for await (const bytes of body!) {
    text += Buffer.from(bytes as Uint8Array).toString('utf8');
    const [, data] = /^data: (.*)\n\n/m.exec(text) ?? [];
    if (data !== undefined) return JSON.parse(data) as PipelineStatus;
  }
  throw new Error('the events ended');
}
