import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { CheckpointError, ConfigError, TrainerError } from '../../src/errors.ts';
import { layersScoring, type LayersScoring, type LayersWeights } from '../../src/trainer/layers/layers-scoring.ts';
import type { Rows } from '../../src/trainer/learner.ts';
import { temporaryDirectory } from '../support/command.ts';
import { modelFile, netsOfThree, type LayerJson } from '../support/model-files.ts';

const dir = temporaryDirectory({ after });
const fileOf = (name: string): string => modelFile(join(dir, name), netsOfThree[name]!);
const sum: readonly LayerJson[] = [['Dense', { units: 1, use_bias: false, batch_input_shape: [null, 3] }]];
const models = {
  main: { kind: 'layers', file: modelFile(join(dir, 'sum'), sum) },
  gru: { kind: 'layers', file: fileOf('gru') },
  line: { kind: 'linear' },
} as const;

async function started(t: TestContext): Promise<LayersScoring> {
  const layers = (await layersScoring({ models, featureCount: 3, maxClasses: 1 }))!;
  t.after(() => layers.close());
  return layers;
}

/** Of which each output is `times` the sum of the features. */
const times = (layers: LayersScoring, factor: number): LayersWeights =>
  layers.weightsOf('main', { 'dense_0/kernel': new Float32Array(3).fill(factor) });

function rowsOf(rowCount: number): Rows {
  const numbers = new Float64Array(rowCount);
  const features = Float32Array.from({ length: 3 * rowCount }, (_, i) => i % 7);
  return {
    rowCount,
    featureCount: 3,
    features,
    keyIds: new Int32Array(rowCount),
    ownTargets: numbers,
    lastTargets: numbers,
  };
}

const sumsOf = ({ rowCount, features }: Rows, factor: number): number[] =>
  Array.from({ length: rowCount }, (_, row) => {
    const [a = NaN, b = NaN, c = NaN] = features.subarray(3 * row, 3 * row + 3);
    return factor * (a + b + c);
  });

describe('scoring of layers', () => {
  it('starts no thread where no model is from a file', async () => {
    assert.equal(await layersScoring({ models: { main: models.line }, featureCount: 3, maxClasses: 1 }), null);
  });

  it('answers each of a thousand requests under way wholly by the weights that it brought', async (t) => {
    const layers = await started(t);
    const versions = Array.from({ length: 10 }, (_, n) => times(layers, n + 1));
    const gru = layers.weightsOf('gru', {
      'gru_0/kernel': new Float32Array(18).fill(0.1),
      'gru_0/recurrent_kernel': new Float32Array(108).fill(0.1),
      'gru_0/bias': new Float32Array(18).fill(0.1),
      'dense_1/kernel': new Float32Array(6).fill(1),
      'dense_1/bias': new Float32Array(1),
    });
    const alone = await layers.outputs('gru', gru, rowsOf(4));
    const requests = Array.from({ length: 1000 }, async (_, n) => {
      // Now and then the same version again, as most requests have it.
      const version = Math.floor(n / 3) % versions.length;
      const rows = rowsOf(1 + (n % 5));
      assert.deepEqual([...(await layers.outputs('main', versions[version]!, rows))], sumsOf(rows, version + 1));
      if (n % 50 === 0) assert.deepEqual(await layers.outputs('gru', gru, rowsOf(4)), alone);
    });
    await Promise.all(requests);
  });

  it('keeps no view of states and rows', async (t) => {
    const layers = await started(t);
    const state = { 'dense_0/kernel': new Float32Array(3).fill(1) };
    const weights = layers.weightsOf('main', state);
    const rows = rowsOf(2);
    const expected = sumsOf(rows, 1);
    const answer = layers.outputs('main', weights, rows);
    state['dense_0/kernel'].fill(9);
    rows.features.fill(9);
    assert.deepEqual([...(await answer)], expected);
    assert.equal((await layers.outputs('main', weights, rowsOf(0))).length, 0);
  });

  it('refuses the state of other layers', async (t) => {
    const layers = await started(t);
    assert.throws(
      () => layers.weightsOf('main', { 'dense_0/kernel': new Float32Array(4) }),
      (error) => error instanceof CheckpointError && /"dense_0\/kernel" is Float32Array of 4/.test(error.message),
    );
  });

  it('refuses at its start a file that is no model of the pipeline, and says which', async () => {
    await assert.rejects(
      layersScoring({ models, featureCount: 2, maxClasses: 1 }),
      (error) => error instanceof ConfigError && /sum\/model\.json: its input is \[null, 3\]/.test(error.message),
    );
  });

  it('dies with what waits where the thread does, and says so', async (t) => {
    const layers = await started(t);
    const weights = times(layers, 1);
    // Weights of another shape are a bug, for which there is no going on.
    const asked = layers.outputs('main', [], rowsOf(1));
    await assert.rejects(asked, (error) => error instanceof TrainerError && /with layers died/.test(error.message));
    await assert.rejects(layers.failed, /with layers died/);
    await assert.rejects(layers.outputs('main', weights, rowsOf(1)), /with layers died/);
  });

  it('closed, rejects what waits and what comes, and is no failure', async () => {
    const layers = (await layersScoring({ models, featureCount: 3, maxClasses: 1 }))!;
    const weights = times(layers, 1);
    const waiting = layers.outputs('main', weights, rowsOf(1024));
    const refused = assert.rejects(waiting, /the thread that predicts with layers is closed/);
    await layers.close();
    await refused;
    await assert.rejects(layers.outputs('main', weights, rowsOf(1)), /is closed/);
    const state = await Promise.race([layers.failed.catch(() => 'failed'), Promise.resolve('well')]);
    assert.equal(state, 'well');
  });
});
