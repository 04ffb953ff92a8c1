import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/trainer/backends.ts';
import { weightsDigest } from '../../src/trainer/digest.ts';
import { KnownClasses } from '../../src/trainer/known-classes.ts';
import type { Learner } from '../../src/trainer/learner.ts';
import { MlpLearner, type MlpSpec } from '../../src/trainer/mlp.ts';
import { classificationHead, regressionHead } from '../../src/trainer/output-head.ts';
import { batchTable, type RowTable } from '../../src/trainer/row-table.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';
import type { BackendName, TrainingOptions } from '../../src/trainer/trainer.ts';
import { batches, readings } from './support.ts';

const engines: readonly BackendName[] = ['wasm', 'cpu'];
const activations: readonly MlpSpec['activation'][] = ['relu', 'tanh', 'sigmoid'];
const adam: TrainingOptions = { optimizer: 'adam', learningRate: 0.01, clipNorm: 1 };

function tables(count: number, classes = 0): RowTable[] {
  return batches(readings(count * 16, 11, classes), 16).map((batch) => batchTable(batch, new Float64Array(16)));
}

function regressor(seed = 1, training = adam, activation: MlpSpec['activation'] = 'relu') {
  const scale = new TargetScale('value');
  const spec: MlpSpec = { kind: 'mlp', hidden: [16, 8], activation };
  return { facts: scale, learner: new MlpLearner(regressionHead(scale), { featureCount: 3, spec, training, seed }) };
}

function classifier() {
  const classes = new KnownClasses();
  const spec: MlpSpec = { kind: 'mlp', hidden: [16, 8], activation: 'relu' };
  const options = { featureCount: 3, spec, training: adam, seed: 1 };
  return { facts: classes, learner: new MlpLearner(classificationHead(classes, 4), options) };
}

function lossesOf({ facts, learner }: { facts: TargetScale | KnownClasses; learner: Learner }, stream: RowTable[]) {
  return stream.map((rows) => {
    facts.stage(rows, rows.labels);
    const { loss } = learner.learn(rows, rows.labels);
    facts.commit();
    return loss;
  });
}

it('all engines give the same losses within 1e-4 over 100 steps, and learn', async () => {
  for (const [make, classes] of [
    [() => regressor(), 0],
    [() => classifier(), 3],
  ] as const) {
    const runs: number[][] = [];
    for (const engine of engines) {
      await useBackend(engine);
      runs.push(lossesOf(make(), tables(100, classes)));
    }
    runs[0]!.forEach((loss, step) => {
      assert.ok(Math.abs(loss - runs[1]![step]!) < 1e-4, `step ${step}: ${loss} and ${runs[1]![step]}`);
    });
    assert.ok(runs[0]!.at(-1)! < 0.5 * runs[0]![0]!);
  }
});

for (const engine of engines) {
  it(`same seed, same weights bit by bit; another seed, others; no tensor left behind (${engine})`, async () => {
    await useBackend(engine);
    const before = tf.memory().numTensors;
    const digests = [1, 1, 2].map((seed) => {
      const model = regressor(seed);
      lossesOf(model, tables(10));
      model.learner.predict(tables(1)[0]!);
      return weightsDigest(model.learner.weights());
    });
    assert.equal(digests[0], digests[1]);
    assert.notEqual(digests[0], digests[2]);
    assert.equal(tf.memory().numTensors, before);
  });

  for (const activation of activations) {
    it(`a step follows the slope of the loss, found by differences (${engine}, ${activation})`, async () => {
      await useBackend(engine);
      const rate = 0.05;
      const { facts, learner } = regressor(3, { optimizer: 'sgd', learningRate: rate, clipNorm: null }, activation);
      const [first, rows] = tables(2);
      // One step before, so that the output kernel is no longer zero.
      lossesOf({ facts, learner }, [first!]);
      facts.stage(rows!, rows!.labels);
      const before = learner.weights();
      const wanted = facts.standardizedLabels(rows!, rows!.labels);
      learner.learn(rows!, rows!.labels);
      learner.weights().forEach(({ name, values }, w) => {
        for (let i = 0; i < values.length; i += 7) {
          const nudged = (by: number): number => {
            const weights = before.map((weight, v) =>
              Float64Array.from(weight.values, (x, j) => (v === w && j === i ? x + by : x)),
            );
            return lossBy(weights, rows!, wanted, activation);
          };
          const slope = (nudged(1e-5) - nudged(-1e-5)) / 2e-5;
          const taken = (before[w]!.values[i]! - values[i]!) / rate;
          assert.ok(Math.abs(taken - slope) < 2e-4, `${name}[${i}]: ${taken}, by differences ${slope}`);
        }
      });
    });
  }
}

/** The loss again, in plain loops. */
function lossBy(weights: readonly Float64Array[], rows: RowTable, wanted: Float64Array, activation: string): number {
  const act = { relu: (x: number) => Math.max(0, x), tanh: Math.tanh, sigmoid: (x: number) => 1 / (1 + Math.exp(-x)) }[
    activation
  ]!;
  let sum = 0;
  for (let r = 0; r < rows.rowCount; r++) {
    let signal = [...rows.features.subarray(r * 3, r * 3 + 3)];
    for (let l = 0; l < weights.length; l += 2) {
      const [kernel, bias] = [weights[l]!, weights[l + 1]!];
      const outputs = Array.from(bias, (b, k) =>
        signal.reduce((total, x, f) => total + x * kernel[f * bias.length + k]!, b),
      );
      signal = l + 2 < weights.length ? outputs.map(act) : outputs;
    }
    sum += (signal[0]! - wanted[r]!) ** 2;
  }
  return sum / rows.rowCount;
}

it('a row that is not finite is named, and weights, slots and tensors stay as they were', async () => {
  await useBackend('wasm');
  const { facts, learner } = regressor();
  lossesOf({ facts, learner }, tables(3));
  const [state, before] = [learner.snapshot(), tf.memory().numTensors];
  const rows = tables(1)[0]!;
  const features = rows.features.slice();
  features[3] = 3e38;
  features[6] = NaN;
  facts.stage(rows, rows.labels);
  const { applied, badRows } = learner.learn({ ...rows, features }, rows.labels);
  assert.equal(applied, false);
  assert.deepEqual([...badRows], [1, 2]);
  assert.deepEqual(learner.snapshot(), state);
  assert.equal(tf.memory().numTensors, before);
});
