import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { missingNative } from '../../src/trainer/native-build.ts';
import type { VersionList } from '../../src/client.ts';
import {
  projectRoot,
  runCommand,
  runForDocument,
  startCommand,
  temporaryDirectory,
  until,
  type Cleanup,
} from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
import { batchRows, makeFleet, stepsPerCheckpoint } from '../support/fleet.ts';
import { modelFile, type LayerJson } from '../support/model-files.ts';

const housing = join(projectRoot, 'examples/housing/housing.csv');
const layers: readonly LayerJson[] = [
  ['Dense', { units: 8, activation: 'relu', batch_input_shape: [null, 2] }],
  ['Dropout', { rate: 0.1 }],
  ['Dense', { units: 1 }],
];

/** A pipeline over two features with a model of these layers. */
function pipeline(t: Cleanup, over: Readonly<Record<string, unknown>> = {}) {
  const dir = temporaryDirectory(t);
  const model = modelFile(dir, layers);
  const file = join(dir, 'pipeline.yaml');
  const document = {
    name: 'housing',
    source: { csv: { file: housing } },
    features: ['area', 'rooms'],
    target: 'price',
    batch: { rows: 16 },
    models: { main: { layers: { file: model } } },
    checkpoint: { dir: join(dir, 'state') },
    http: { port: 0 },
    ...over,
  };
  writeFileSync(file, JSON.stringify(document));
  return { dir, file };
}

describe('a model from a file', () => {
  test('is refused with exit code 2 where the file is missing or does not fit, by run and by evaluate', async (t) => {
    const missing = pipeline(t, { models: { main: { layers: { file: 'nowhere/model.json' } } } });
    const wide = pipeline(t, { features: ['area'] });
    for (const command of [['run', '--once'], ['evaluate']] as const) {
      const [name, ...options] = command;
      for (const [{ file }, says] of [
        [missing, /nowhere\/model\.json: cannot read the model .*Check the path/],
        [wide, /model\.json: its input is \[null, 2\]; rows of this pipeline have 1 numbers/],
      ] as const) {
        const { code, stderr } = await runCommand([name, file, ...options]);
        assert.equal(code, 2, stderr);
        assert.match(stderr, says);
      }
    }
  });

  test('goes on after a move of the file and refuses the state of other layers', async (t) => {
    const { dir, file } = pipeline(t);
    const first = (await runForDocument(['run', file, '--once', '--json'])) as RunDocument;
    assert.equal(first.records.trained, 500);
    const moved = modelFile(join(dir, 'moved'), layers);
    const document = {
      ...(JSON.parse(readFileSync(file, 'utf8')) as object),
      models: { main: { layers: { file: moved } } },
    };
    writeFileSync(file, JSON.stringify(document));
    const second = (await runForDocument(['run', file, '--once', '--json'])) as RunDocument;
    assert.equal(second.weightsDigest, first.weightsDigest);
    modelFile(join(dir, 'moved'), [...layers.slice(0, 1), ...layers.slice(2)]);
    const { code, stderr } = await runCommand(['run', file, '--once']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /models: the checkpoint has .*"topology":"sha256:/);
    assert.match(stderr, /start anew with --fresh/);
  });

  test('is served over both protocols from its newest checkpoint, and its versions are compared', async (t) => {
    const fleet = makeFleet(t);
    await runForDocument(fleet.produce(3000));
    const gru: readonly LayerJson[] = [
      ['GRU', { units: 6, batch_input_shape: [null, 3, 3] }],
      ['BatchNormalization', {}],
      ['Dense', { units: 1 }],
    ];
    const models = { main: { layers: { file: modelFile(join(fleet.dir, 'gru'), gru) } } };
    // So young a model changes much from one checkpoint to the next; here each is to be served.
    const { file } = fleet.pipeline('layers', { models, promotion: { margin: 1, forgetting: 10 } });
    const pipeline = startCommand(['run', file]);
    t.after(() => {
      pipeline.kill('SIGKILL');
    });
    const [, url = ''] = await pipeline.says(/live page at (http:\/\/[^ ,]+),/);
    const asked = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const response = await fetch(`${url}${path}`, body === undefined ? {} : options);
      return (await response.json()) as Record<string, unknown>;
    };
    const predicted = (): Promise<Record<string, unknown>> =>
      asked('/v1/predict', { sensorId: 'new', temperature: 20, load: 0.5, vibration: 1 });
    const checkpointed = 17 * stepsPerCheckpoint * batchRows;
    await until(async () => {
      const { trainedThrough } = (await predicted()) as { trainedThrough?: { positions: Record<string, number> } };
      return trainedThrough?.positions['readings:0'] === checkpointed;
    }, 'the last checkpoint is served');

    const { value, modelVersion } = await predicted();
    assert.ok(Number.isFinite(value));
    const data = [20, 0.5, 1, 0, 0, 0, 0, 0, null];
    const tensor = { inputs: [{ name: 'features', datatype: 'FP64', shape: [1, 9], data }] };
    const { model_version: version, outputs } = await asked('/v2/models/fleet/infer', tensor);
    assert.deepEqual([version, (outputs as readonly { data: unknown }[])[0]!.data], [modelVersion, [value]]);
    const index = (await asked('/v2/repository/index', {})) as unknown;
    assert.deepEqual(index, [{ name: 'fleet', version: modelVersion, state: 'READY', reason: '' }]);
    const { versions } = (await asked('/v1/models')) as unknown as VersionList;
    const { action, recent, past } = versions.find(({ isServed }) => isServed)!.decision!;
    assert.equal(action, 'promoted');
    for (const { rows, loss } of [recent!, past!]) assert.ok(rows >= 100 && loss > 0);

    pipeline.kill('SIGTERM');
    assert.equal((await pipeline.ended).code, 0);
  });

  test(
    'that cannot be one graph runs op by op, and the log says why',
    { skip: missingNative() ?? false },
    async (t) => {
      const { file } = pipeline(t, { backend: 'tensorflow' });
      const says = /models\.main runs op by op, slower than as one graph: .* such as a random mask/;
      for (const args of [
        ['run', file, '--once'],
        ['evaluate', file],
      ]) {
        const { code, stderr } = await runCommand(args);
        assert.equal(code, 0, stderr);
        assert.match(stderr, says);
      }
    },
  );
});
