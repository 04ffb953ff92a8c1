import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError } from '../../src/errors.ts';
import { useBackend } from '../../src/trainer/backends.ts';
import { weightsDigest } from '../../src/trainer/digest.ts';
import { KnownClasses } from '../../src/trainer/known-classes.ts';
import { createLayers } from '../../src/trainer/layers/create-layers.ts';
import { tfjsLayers } from '../../src/trainer/layers/tfjs-layers.ts';
import type { Learner } from '../../src/trainer/learner.ts';
import { batchTable, type RowTable } from '../../src/trainer/row-table.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';
import type { BackendName, TrainingOptions } from '../../src/trainer/trainer.ts';
import { temporaryDirectory } from '../support/command.ts';
import { modelFile, netsOfThree, savedModel, type LayerJson } from '../support/model-files.ts';
import { engines as all } from './engines.ts';
import { batches, readings } from './support.ts';

const adam: TrainingOptions = {
  optimizer: { kind: 'adam' },
  learningRate: 0.01,
  clipNorm: 1,
  precision: 'float32',
  loss: { kind: 'mse' },
};
const sgd: TrainingOptions = {
  optimizer: { kind: 'sgd' },
  learningRate: 0.1,
  clipNorm: null,
  precision: 'float32',
  loss: { kind: 'mse' },
};
const dir = temporaryDirectory({ after });
const engines = all.filter((name) => name !== 'webgpu');

const files = Object.fromEntries(
  Object.entries(netsOfThree).map(([name, layers]) => [name, modelFile(join(dir, name), layers)]),
);

function tables(count: number, classes = 0): RowTable[] {
  return batches(readings(count * 16, 11, classes), 16).map((batch) => batchTable(batch, new Float64Array(16)));
}

interface Model {
  readonly facts: TargetScale | KnownClasses;
  readonly learner: Learner;
  /** Why it runs op by op. */
  readonly reasons: readonly string[];
}

interface ModelOptions {
  readonly seed?: number;
  readonly training?: TrainingOptions;
  /** 1 for regression. */
  readonly maxClasses?: number;
}

async function modelOf(engine: BackendName, file: string, options: ModelOptions = {}): Promise<Model> {
  const { seed = 1, training = adam, maxClasses = 1 } = options;
  const facts = maxClasses === 1 ? new TargetScale('value') : new KnownClasses();
  const reasons: string[] = [];
  const learner = await createLayers(engine, facts, { file, featureCount: 3, maxClasses, training, seed }, (reason) =>
    reasons.push(reason),
  );
  return { facts, learner, reasons };
}

function lossesOf({ facts, learner }: Model, stream: readonly RowTable[]): number[] {
  return stream.map((rows) => {
    facts.stage(rows, rows.labels);
    const { loss, applied } = learner.learn(rows, rows.labels);
    assert.ok(applied, 'applied');
    facts.commit();
    return loss;
  });
}

function furthest(one: ArrayLike<number>, other: ArrayLike<number>): number {
  assert.equal(one.length, other.length);
  return Math.max(...Array.from(one, (number, i) => Math.abs(number - other[i]!)));
}

/** wasm has no gradient of a convolution. */
const trains = (engine: BackendName, name: string): boolean => engine !== 'wasm' || name !== 'conv1d';

describe('a model from a file', () => {
  for (const name of [...Object.keys(netsOfThree), 'classes']) {
    it(`has the same losses on all engines within 1e-4 over 100 steps, and learns (${name})`, async () => {
      const isClasses = name === 'classes';
      const classifier: readonly LayerJson[] = [netsOfThree['dense']![0]!, ['Dense', { units: 4 }]];
      const file = isClasses ? modelFile(join(dir, name), classifier) : files[name]!;
      // What is added to batch norm has at first no slope but rounding, of which Adam would make steps.
      const training = name === 'batch norm' ? sgd : adam;
      const runs: number[][] = [];
      for (const engine of engines.filter((each) => trains(each, name))) {
        await useBackend(engine);
        const model = await modelOf(engine, file, { training, maxClasses: isClasses ? 4 : 1 });
        assert.equal(model.reasons.length, engine === 'tensorflow' && name === 'dropout' ? 1 : 0);
        runs.push(lossesOf(model, tables(100, isClasses ? 3 : 0)));
        model.learner.dispose();
      }
      for (const run of runs) {
        assert.ok(furthest(run, runs.at(-1)!) < 1e-4, `apart by ${furthest(run, runs.at(-1)!)}`);
        assert.ok(run.at(-1)! < 0.7 * run[0]!, `${run[0]} to ${run.at(-1)}`);
      }
    });
  }

  for (const engine of engines) {
    for (const name of Object.keys(netsOfThree).filter((each) => trains(engine, each))) {
      it(`saved, goes on in any engine as in its own, there bit by bit (${engine}, ${name})`, async () => {
        const stream = tables(13);
        await useBackend(engine);
        const first = await modelOf(engine, files[name]!);
        lossesOf(first, stream.slice(0, 10));
        const [state, moments] = [first.learner.snapshot(), first.facts.snapshot()];
        const goOn = (model: Model): readonly number[] => {
          const losses = lossesOf(model, stream.slice(10));
          return [...losses, ...model.learner.weights().flatMap(({ values }) => [...values])];
        };
        const expected = goOn(first);
        first.learner.dispose();
        for (const other of engines.filter((each) => trains(each, name))) {
          await useBackend(other);
          const model = await modelOf(other, files[name]!, { seed: other === engine ? 1 : 9 });
          model.learner.restore(state);
          model.facts.restore(moments);
          assert.deepEqual(model.learner.snapshot(), state);
          // Another seed draws other masks.
          if (name !== 'dropout' || other === engine) {
            const apart = furthest(goOn(model), expected);
            assert.ok(apart <= (other === engine ? 0 : 1e-4), `${other} is apart by ${apart}`);
          }
          model.learner.dispose();
        }
      });
    }

    it(`has the same weights for the same seed, others for another, and leaves no tensor behind (${engine})`, async () => {
      await useBackend(engine);
      for (const name of Object.keys(netsOfThree).filter((each) => trains(engine, each))) {
        const before = tf.memory().numTensors;
        const digests: string[] = [];
        for (const seed of [1, 1, 2]) {
          const model = await modelOf(engine, files[name]!, { seed });
          lossesOf(model, tables(3));
          model.learner.predict(tables(1)[0]!);
          digests.push(weightsDigest(model.learner.weights()));
          model.learner.dispose();
        }
        assert.equal(digests[0], digests[1], name);
        assert.notEqual(digests[0], digests[2], name);
        assert.equal(tf.memory().numTensors, before, name);
      }
    });

    it(`drops in training alone, anew at each step, and predicts with all (${engine})`, async () => {
      await useBackend(engine);
      const [rows] = tables(1);
      const { facts, learner } = await modelOf(engine, files['dropout']!, {
        training: { ...sgd, learningRate: 1e-30 },
      });
      facts.stage(rows!, rows!.labels);
      const whole = learner.predict(rows!);
      const steps = [0, 1, 2].map(() => learner.learn(rows!, rows!.labels));
      for (const { predictions } of steps) assert.deepEqual(predictions, whole);
      assert.equal(new Set(steps.map(({ loss }) => loss)).size, 3);
      learner.dispose();
    });

    it(`predicts by moving averages, which a withheld step leaves as they were (${engine})`, async () => {
      await useBackend(engine);
      const model = await modelOf(engine, files['batch norm']!);
      lossesOf(model, tables(3));
      const [state, before] = [model.learner.snapshot(), tf.memory().numTensors];
      const [rows] = tables(1);
      // In a whole batch the mean of a row by itself would be the row.
      const one = { ...rows!, rowCount: 1 };
      assert.ok(Math.abs(model.learner.predict(one)[0]! - model.learner.predict(rows!)[0]!) < 1e-5);
      model.facts.stage(rows!, rows!.labels);
      for (const bad of [NaN, 1e30]) {
        const features = rows!.features.slice();
        features[4] = bad;
        const { applied } = model.learner.learn({ ...rows!, features }, rows!.labels);
        assert.equal(applied, false);
        assert.deepEqual(model.learner.snapshot(), state);
      }
      assert.equal(tf.memory().numTensors, before);
      model.learner.dispose();
    });

    it(`begins with the weights of the file, trains no frozen layer, and adds the penalties (${engine})`, async (t) => {
      await useBackend('cpu');
      const { dense } = tfjsLayers.layers;
      const penalty = 0.01;
      const kernelRegularizer = tfjsLayers.regularizers.l2({ l2: penalty });
      const model = tfjsLayers.sequential({
        layers: [
          dense({ units: 4, activation: 'tanh', inputShape: [3], trainable: false }),
          dense({ units: 1, kernelRegularizer }),
        ],
      });
      const saved = model.getWeights().map((weight) => weight.dataSync<'float32'>().slice());
      const file = await savedModel(model, temporaryDirectory(t));
      const plain = tfjsLayers.sequential({
        layers: [dense({ units: 4, activation: 'tanh', inputShape: [3], trainable: false }), dense({ units: 1 })],
      });
      plain.setWeights(model.getWeights());
      const plainFile = await savedModel(plain, temporaryDirectory(t));
      for (const each of [model, plain]) each.dispose();

      await useBackend(engine);
      const [penalized, free] = [
        await modelOf(engine, file, { training: sgd, seed: 5 }),
        await modelOf(engine, plainFile, { training: sgd, seed: 6 }),
      ];
      const valuesOf = ({ learner }: Model) => learner.weights().map(({ values }) => values);
      assert.deepEqual(valuesOf(penalized), saved);
      const losses = [penalized, free].map((each) => lossesOf(each, tables(1))[0]!);
      // What is trained comes first.
      const kernel = saved[0]!;
      const squares = kernel.reduce((sum, weight) => sum + weight ** 2, 0);
      assert.ok(Math.abs(losses[0]! - losses[1]! - penalty * squares) < 1e-5, 'loss');
      const [after_, without] = [valuesOf(penalized), valuesOf(free)];
      assert.deepEqual(after_.slice(2), saved.slice(2), 'the frozen layer');
      kernel.forEach((weight, i) => {
        assert.ok(Math.abs(without[0]![i]! - after_[0]![i]! - sgd.learningRate * 2 * penalty * weight) < 1e-6);
      });
      for (const { learner } of [penalized, free]) learner.dispose();
    });
  }
});

const input = { batch_input_shape: [null, 3] };
const hidden: LayerJson = ['Dense', { units: 4, ...input }];
const output: LayerJson = ['Dense', { units: 1 }];

/** What cannot be used, and what the message says. */
const refusals: readonly {
  readonly what: string;
  readonly layers: readonly LayerJson[];
  readonly over?: Readonly<Record<string, unknown>>;
  readonly says: RegExp;
}[] = [
  { what: 'an unknown layer', layers: [hidden, ['Lambda', {}], output], says: /cannot build this model: .*Lambda/ },
  {
    what: 'too many inputs',
    layers: [['Dense', { units: 1, batch_input_shape: [null, 4] }]],
    says: /its input is \[null, 4\]; rows of this pipeline have 3 numbers: it needs one input \[null, 3\]/,
  },
  { what: 'no layers', layers: [], says: /its inputs are not declared; rows of this pipeline have 3 numbers/ },
  {
    what: 'steps of any number',
    layers: [['GRU', { units: 2, batch_input_shape: [null, null, 3] }], output],
    says: /its input is \[null, null, 3\]/,
  },
  {
    what: 'too many outputs',
    layers: [hidden],
    says: /its output is \[null, 4\]; this pipeline needs \[null, 1\], one number for regression/,
  },
  {
    what: 'an activation at the end',
    layers: [hidden, ['Dense', { units: 1, activation: 'sigmoid' }]],
    says: /its last layer "dense_1" ends in sigmoid; .* give it the activation linear/,
  },
  {
    what: 'a constraint',
    layers: [hidden, ['Dense', { units: 1, kernel_constraint: { class_name: 'NonNeg', config: {} } }]],
    says: /it has kernel_constraint, which training does not keep; take it out/,
  },
  {
    what: 'a state between batches',
    layers: [['GRU', { units: 2, stateful: true, batch_input_shape: [null, 3, 1] }], output],
    says: /stateful/,
  },
  {
    what: 'nothing to train',
    layers: [['Dense', { units: 1, trainable: false, ...input }]],
    says: /it has no weight to train/,
  },
  {
    what: 'weights that are not there',
    layers: [hidden, output],
    over: { weightsManifest: [{ paths: ['gone.bin'], weights: [] }] },
    says: /gone\.bin: cannot read the weights of the model .*Check the path/,
  },
  {
    what: 'weights elsewhere',
    layers: [hidden, output],
    over: { weightsManifest: [{ paths: ['../passwords'], weights: [] }] },
    says: /its weights are in "\.\.\/passwords", expected a file beside it/,
  },
  {
    what: 'weights of another model',
    layers: [hidden, output],
    over: { weightsManifest: [{ paths: [], weights: [] }] },
    says: /4 of 4 weights are not set/,
  },
  {
    what: 'a GraphModel',
    layers: [],
    over: { format: 'graph-model', modelTopology: { node: [] } },
    says: /is a GraphModel, which cannot be trained, expected a LayersModel/,
  },
];

describe('a model that cannot be used is refused with a ConfigError that says why:', () => {
  for (const { what, layers, over, says } of refusals) {
    it(what, async (t) => {
      await useBackend('cpu');
      await assert.rejects(modelOf('cpu', modelFile(temporaryDirectory(t), layers, over)), (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, says);
        return true;
      });
    });
  }

  it('webgpu, whose values can only be awaited', async () => {
    await assert.rejects(
      modelOf('webgpu', files['dense']!),
      (error) => error instanceof ConfigError && /the webgpu backend runs mlp alone.*Set backend:/.test(error.message),
    );
  });

  it('what the backend lacks', async () => {
    await useBackend('wasm');
    await assert.rejects(
      modelOf('wasm', files['conv1d']!),
      (error) =>
        error instanceof ConfigError &&
        /the wasm backend cannot train this model: .*Conv2DBackpropFilter.*Set another backend; cpu has all ops/.test(
          error.message,
        ),
    );
  });
});
