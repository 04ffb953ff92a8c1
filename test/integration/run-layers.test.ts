import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { missingNative } from '../../src/trainer/native-build.ts';
import { projectRoot, runCommand, runForDocument, temporaryDirectory, type Cleanup } from '../support/command.ts';
import type { RunDocument } from '../support/documents.ts';
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
