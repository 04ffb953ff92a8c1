import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/trainer/backends.ts';
import { compileStep, type StepResult } from '../../../src/trainer/graph/compile-step.ts';
import { lossGradients } from '../../../src/trainer/graph/loss-gradients.ts';
import type { OptimizerSpec } from '../../../src/trainer/graph/optimizers.ts';
import { tfjsLayers } from '../../../src/trainer/layers/tfjs-layers.ts';
import { missingNative } from '../../../src/trainer/native-build.ts';
import { losses, namedVariables, type SmallModel, smallModels } from '../../support/small-models.ts';

const { dense } = tfjsLayers.layers;
const { glorotUniform } = tfjsLayers.initializers;
const rowCount = 16;
const learningRate = 0.002;

interface Case {
  readonly model: string;
  /** By default one output. */
  readonly outputs?: 'sum of two';
  readonly loss: string;
  readonly optimizer: string;
  readonly clipNorm: number | null;
}

/** An eager optimizer: changes the variables by gradients of the same names. */
type Eager = (variables: Tensors) => (gradients: Tensors) => void;
type Tensors = Readonly<Record<string, tf.Variable | tf.Tensor>>;

/** TensorFlow.js's own. */
function own(make: (learningRate: number) => tf.Optimizer): Eager {
  return (variables) => {
    const optimizer = make(learningRate);
    return (gradients) => {
      const byVariable = Object.entries(gradients).map(([name, gradient]) => [
        (variables[name] as tf.Variable).name,
        gradient,
      ]);
      optimizer.applyGradients(Object.fromEntries(byVariable) as tf.NamedTensorMap);
    };
  };
}

const adam = own((rate) => tf.train.adam(rate));

/** TensorFlow.js has none: Adam after a decay of its own. */
const adamw: Eager = (variables) => {
  const step = adam(variables);
  return (gradients) => {
    for (const name of Object.keys(gradients)) {
      const variable = variables[name] as tf.Variable;
      variable.assign(tf.mul(variable, 1 - learningRate * 0.1));
    }
    step(gradients);
  };
};

/** TensorFlow.js takes epsilon off instead of adding it, which ends in NaN; this is the formula of Graves (2013), plain. */
const centered: Eager = (variables) => {
  const slots = new Map<string, { squares: Float64Array; means: Float64Array }>();
  return (gradients) => {
    for (const [name, gradient] of Object.entries(gradients)) {
      const variable = variables[name] as tf.Variable;
      const values = variable.dataSync() as Float32Array;
      const slopes = gradient.dataSync();
      const slot = slots.get(name) ?? {
        squares: new Float64Array(values.length),
        means: new Float64Array(values.length),
      };
      slots.set(name, slot);
      const next = values.map((value, i) => {
        slot.squares[i] = 0.9 * slot.squares[i]! + 0.1 * slopes[i]! ** 2;
        slot.means[i] = 0.9 * slot.means[i]! + 0.1 * slopes[i]!;
        return value - (learningRate * slopes[i]!) / Math.sqrt(slot.squares[i] - slot.means[i] ** 2 + 1e-3);
      });
      variable.assign(tf.tensor(next, variable.shape));
    }
  };
};

const optimizers: Readonly<Record<string, { readonly spec: OptimizerSpec; readonly eager: Eager }>> = {
  sgd: { spec: { kind: 'sgd' }, eager: own((rate) => tf.train.sgd(rate)) },
  momentum: { spec: { kind: 'momentum', momentum: 0.9 }, eager: own((rate) => tf.train.momentum(rate, 0.9)) },
  nesterov: {
    spec: { kind: 'momentum', momentum: 0.9, nesterov: true },
    eager: own((rate) => tf.train.momentum(rate, 0.9, true)),
  },
  adam: { spec: { kind: 'adam' }, eager: adam },
  adamw: { spec: { kind: 'adamw', weightDecay: 0.1 }, eager: adamw },
  rmsprop: { spec: { kind: 'rmsprop' }, eager: own((rate) => tf.train.rmsprop(rate)) },
  'rmsprop, momentum': {
    spec: { kind: 'rmsprop', momentum: 0.5 },
    eager: own((rate) => tf.train.rmsprop(rate, 0.9, 0.5)),
  },
  'rmsprop, centered': { spec: { kind: 'rmsprop', centered: true, epsilon: 1e-3 }, eager: centered },
  adagrad: { spec: { kind: 'adagrad' }, eager: own((rate) => tf.train.adagrad(rate)) },
};

function dataOf({ shape, indexes }: SmallModel, batch: number) {
  const width = shape.reduce((product, size) => product * size, 1);
  const at = (i: number): number => i + batch * 1000;
  return {
    x: Float32Array.from({ length: rowCount * width }, (_, i) =>
      indexes ? (at(i) * 7) % indexes : Math.sin(at(i) * 1.7),
    ),
    y: Float32Array.from({ length: rowCount }, (_, i) => Math.cos(at(i) * 3)),
  };
}

function tensorsOf({ x, y }: ReturnType<typeof dataOf>, shape: readonly number[]) {
  return { x: tf.tensor(x, [rowCount, ...shape]), y: tf.tensor(y, [rowCount, 1]) };
}

/** The model with its step, in TensorFlow.js. */
function eagerModel({ model: name, loss, outputs }: Case) {
  const small = smallModels[name]!();
  if (outputs === 'sum of two') {
    small.model.pop();
    small.model.add(dense({ units: 2, kernelInitializer: glorotUniform({ seed: 99 }) }));
  }
  const variables = namedVariables(small.model);
  const step = (x: tf.Tensor, y: tf.Tensor): StepResult => {
    const result = lossGradients(variables, () => {
      const raw = small.model.apply(x, { training: true }) as tf.Tensor;
      return losses[loss]!(y, outputs === 'sum of two' ? tf.sum(raw, 1, true) : raw);
    });
    return { ...result, outputs: result.gradients };
  };
  return { small, variables, step };
}

function compiled(the: Case) {
  const { small, variables, step } = eagerModel(the);
  const one = compileStep({
    inputs: { x: { shape: [null, ...small.shape], dtype: 'float32' }, y: { shape: [null, 1], dtype: 'float32' } },
    variables,
    step: ({ x, y }) => step(x!, y!),
    functions: { predict: { inputs: ['x'], run: ({ x }) => ({ outputs: small.model.predict(x!) as tf.Tensor }) } },
    optimizer: optimizers[the.optimizer]!.spec,
    clipNorm: the.clipNorm,
  });
  tf.dispose(small.model.weights.map((weight) => weight.read()));
  return one;
}

/** Losses of 100 eager steps, and the predictions after them. */
function eagerRun(the: Case) {
  const { small, variables, step } = eagerModel(the);
  const update = optimizers[the.optimizer]!.eager(variables);
  const found: number[] = [];
  for (let s = 0; s < 100; s++) {
    tf.tidy(() => {
      const { x, y } = tensorsOf(dataOf(small, s % 4), small.shape);
      const { loss, gradients } = step(x, y);
      found.push(loss.dataSync()[0]!);
      const norm = tf
        .sqrt(tf.addN(Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)))))
        .dataSync()[0]!;
      const scale = the.clipNorm === null || norm <= the.clipNorm ? 1 : the.clipNorm / norm;
      update(Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, scale)])));
    });
  }
  const predictions = tf.tidy(
    () => (small.model.predict(tensorsOf(dataOf(small, 9), small.shape).x) as tf.Tensor).dataSync() as Float32Array,
  );
  tf.dispose(small.model.weights.map((weight) => weight.read()));
  return { losses: found, predictions };
}

function furthest(one: ArrayLike<number>, other: ArrayLike<number>): number {
  assert.equal(one.length, other.length);
  return Math.max(...Array.from(one, (number, i) => Math.abs(number - other[i]!)));
}

const plain: Case = { model: 'dense, relu', loss: 'mse', optimizer: 'adam', clipNorm: null };
const cases: readonly Case[] = [
  ...Object.keys(smallModels).map((model) => ({ ...plain, model })),
  ...Object.keys(losses).map((loss) => ({ ...plain, loss })),
  ...Object.keys(optimizers).map((optimizer) => ({ ...plain, optimizer })),
  { ...plain, clipNorm: 0.1, optimizer: 'sgd' },
  { ...plain, clipNorm: 0.1, model: 'gru' },
];

/** TensorFlow multiplies or sums in another order when it has the whole graph. */
const nearlyEqual = new Set(['global pooling', 'lstm', 'layer norm']);

describe('a compiled step against the eager one', { skip: missingNative() ?? false }, () => {
  before(() => useBackend('tensorflow'));

  for (const the of cases) {
    const name = `${the.model}; ${the.loss}; ${the.optimizer}${the.clipNorm === null ? '' : ', clipped'}`;
    it(`has its losses and predictions within 1e-4 over 100 steps: ${name}`, () => {
      const eager = eagerRun(the);
      const step = compiled(the);
      const small = smallModels[the.model]!();
      const found = Array.from({ length: 100 }, (_, s) => {
        const { applied, loss } = step.run(dataOf(small, s % 4), rowCount, learningRate);
        assert.ok(applied, 'applied');
        return loss;
      });
      const { outputs } = step.evaluate('predict', { x: dataOf(small, 9).x }, rowCount);
      step.dispose();
      assert.ok(furthest(found, eager.losses) < 1e-4, `losses are apart by ${furthest(found, eager.losses)}`);
      const apart = furthest(outputs!, eager.predictions);
      assert.ok(apart < 1e-4 * Math.max(1, ...eager.predictions.map(Math.abs)), `predictions are apart by ${apart}`);
      // The same batch as the first.
      assert.ok(found[96]! < found[0]!, 'it learns');
    });
  }

  const exact = Object.keys(smallModels).map((model): Case => ({ ...plain, model, outputs: 'sum of two' }));
  const single = Object.keys(smallModels).map((model): Case => ({ ...plain, model }));
  for (const the of [...exact, ...single]) {
    const { model, outputs: two } = the;
    const ending = two === undefined ? 'one output' : 'two';
    it(`has its very loss and gradients, bit by bit where the ops are the same: ${model}, ${ending}`, () => {
      const { small, variables, step } = eagerModel(the);
      const one = compiled(the);
      const data = dataOf(small, 0);
      const { loss, outputs } = one.run(data, rowCount, learningRate);
      tf.tidy(() => {
        const { x, y } = tensorsOf(data, small.shape);
        const eager = step(x, y);
        // The product with a single column is another op in a graph.
        const limit = two === undefined || nearlyEqual.has(model) ? 1e-6 : 0;
        assert.ok(Math.abs(loss - eager.loss.dataSync()[0]!) <= limit, 'loss');
        for (const [name, gradient] of Object.entries(eager.gradients)) {
          assert.ok(furthest(gradient.dataSync(), outputs[name]!) <= limit, name);
        }
      });
      one.dispose();
      tf.dispose(Object.values(variables));
    });
  }
});
