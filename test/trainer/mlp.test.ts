import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/trainer/backends.ts';
import { weightsDigest } from '../../src/trainer/digest.ts';
import { KnownClasses } from '../../src/trainer/known-classes.ts';
import type { Learner } from '../../src/trainer/learner.ts';
import { createMlp } from '../../src/trainer/create-mlp.ts';
import type { MlpSpec } from '../../src/trainer/dense-net.ts';
import { batchTable, type RowTable } from '../../src/trainer/row-table.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';
import type { Snapshot } from '../../src/records.ts';
import type { LossOptions } from '../../src/trainer/regression-loss.ts';
import type { BackendName, TrainingOptions } from '../../src/trainer/trainer.ts';
import type { OptimizerOptions } from '../../src/trainer/update-rules.ts';
import { engines } from './engines.ts';
import { batches, readings } from './support.ts';

const activations: readonly MlpSpec['activation'][] = ['relu', 'tanh', 'sigmoid'];
const adam: TrainingOptions = {
  optimizer: { kind: 'adam' },
  learningRate: 0.01,
  clipNorm: 1,
  precision: 'float32',
  loss: { kind: 'mse' },
};

function tables(count: number, classes = 0): RowTable[] {
  return batches(readings(count * 16, 11, classes), 16).map((batch) => batchTable(batch, new Float64Array(16)));
}

interface Model<Facts extends TargetScale | KnownClasses> {
  readonly facts: Facts;
  readonly learner: Learner;
}

async function regressor(
  engine: BackendName,
  seed = 1,
  training = adam,
  activation: MlpSpec['activation'] = 'relu',
): Promise<Model<TargetScale>> {
  const facts = new TargetScale('value');
  const spec: MlpSpec = { kind: 'mlp', hidden: [16, 8], activation };
  return { facts, learner: await createMlp(engine, facts, 1, { featureCount: 3, spec, training, seed }) };
}

async function classifier(engine: BackendName): Promise<Model<KnownClasses>> {
  const facts = new KnownClasses();
  const spec: MlpSpec = { kind: 'mlp', hidden: [16, 8], activation: 'relu' };
  return { facts, learner: await createMlp(engine, facts, 4, { featureCount: 3, spec, training: adam, seed: 1 }) };
}

function lossesOf({ facts, learner }: Model<TargetScale | KnownClasses>, stream: RowTable[]) {
  return stream.map((rows) => {
    facts.stage(rows, rows.labels);
    const { loss } = learner.learn(rows, rows.labels);
    facts.commit();
    return loss;
  });
}

it('all engines give the same losses within 1e-4 over 100 steps, and learn', async () => {
  for (const [make, classes] of [
    [regressor, 0],
    [classifier, 3],
  ] as const) {
    const runs: number[][] = [];
    for (const engine of engines) {
      await useBackend(engine);
      const model = await make(engine);
      runs.push(lossesOf(model, tables(100, classes)));
      model.learner.dispose();
    }
    for (const [r, run] of runs.entries()) {
      run.forEach((loss, step) => {
        const expected = runs.at(-1)![step]!;
        assert.ok(Math.abs(loss - expected) < 1e-4, `${engines[r]}, step ${step}: ${loss} and ${expected}`);
      });
      assert.ok(run.at(-1)! < 0.5 * run[0]!);
    }
  }
});

const optimizers: readonly OptimizerOptions[] = [
  { kind: 'sgd' },
  { kind: 'momentum', momentum: 0.9, nesterov: false },
  { kind: 'momentum', momentum: 0.5, nesterov: true },
  { kind: 'adamw', weightDecay: 0.1 },
  { kind: 'rmsprop', decay: 0.9, momentum: 0.5 },
  { kind: 'adagrad' },
];
const losses: readonly LossOptions[] = [{ kind: 'mse' }, { kind: 'mae' }, { kind: 'huber', delta: 0.5 }];

for (const optimizer of optimizers) {
  it(`every loss by ${JSON.stringify(optimizer)} is the same on all engines, and a state moves between them`, async () => {
    const stream = tables(60);
    for (const loss of losses) {
      const training = { ...adam, optimizer, loss, learningRate: 0.002 };
      const expected: number[] = [];
      let state: { readonly learner: Snapshot; readonly facts: ReturnType<TargetScale['snapshot']> } | null = null;
      // The plainest first, whose losses the others are held against; each goes on from the state that the one before left.
      for (const engine of [...engines].reverse()) {
        await useBackend(engine);
        const whole = await regressor(engine, 1, training);
        const found = lossesOf(whole, stream);
        if (expected.length === 0) expected.push(...found);
        const model = await regressor(engine, 1, training);
        if (state !== null) {
          model.learner.restore(state.learner);
          model.facts.restore(state.facts);
          found.push(...lossesOf(model, stream.slice(30)));
        }
        const half = await regressor(engine, 1, training);
        lossesOf(half, stream.slice(0, 30));
        state = { learner: half.learner.snapshot(), facts: half.facts.snapshot() };
        found.forEach((value, step) => {
          const wanted = expected[step < 60 ? step : step - 30]!;
          assert.ok(Math.abs(value - wanted) < 1e-4, `${engine}, ${loss.kind}, step ${step}: ${value} and ${wanted}`);
        });
        for (const { learner } of [whole, model, half]) learner.dispose();
      }
    }
  });
}

for (const engine of engines) {
  it(`a state saved by one engine goes on in any other as in itself (${engine})`, async () => {
    const stream = tables(21);
    await useBackend(engine);
    const first = await regressor(engine);
    lossesOf(first, stream.slice(0, 20));
    const [state, moments] = [first.learner.snapshot(), first.facts.snapshot()];
    const stepFurther = (model: Model<TargetScale>): readonly number[] => {
      const losses = lossesOf(model, stream.slice(20));
      return [...losses, ...model.learner.weights().flatMap(({ values }) => [...values])];
    };
    const expected = stepFurther(first);
    first.learner.dispose();
    for (const other of engines) {
      await useBackend(other);
      const model = await regressor(other);
      const { learner } = model;
      learner.restore(state);
      model.facts.restore(moments);
      assert.deepEqual(learner.snapshot(), state);
      const apart = stepFurther(model).map((number, i) => Math.abs(number - expected[i]!));
      const limit = other === engine ? 0 : 1e-5;
      assert.ok(Math.max(...apart) <= limit, `${other} is apart by ${Math.max(...apart)}`);
      learner.dispose();
    }
  });
}

for (const engine of engines) {
  it(`same seed, same weights bit by bit; another seed, others; no tensor left behind (${engine})`, async () => {
    await useBackend(engine);
    const before = tf.memory().numTensors;
    const digests: string[] = [];
    for (const seed of [1, 1, 2]) {
      const model = await regressor(engine, seed);
      lossesOf(model, tables(10));
      model.learner.predict(tables(1)[0]!);
      digests.push(weightsDigest(model.learner.weights()));
      model.learner.dispose();
    }
    assert.equal(digests[0], digests[1]);
    assert.notEqual(digests[0], digests[2]);
    assert.equal(tf.memory().numTensors, before);
  });

  for (const activation of activations) {
    it(`a step follows the slope of the loss, found by differences (${engine}, ${activation})`, async () => {
      await useBackend(engine);
      const rate = 0.05;
      const { facts, learner } = await regressor(
        engine,
        3,
        { optimizer: { kind: 'sgd' }, learningRate: rate, clipNorm: null, precision: 'float32', loss: { kind: 'mse' } },
        activation,
      );
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

for (const engine of engines) {
  it(`a row that is not finite is named, and weights, slots and tensors stay as they were (${engine})`, async () => {
    await useBackend(engine);
    const { facts, learner } = await regressor(engine);
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
    learner.dispose();
  });
}
