import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/trainer/backends.ts';
import type { NodeBackend } from '../../../src/trainer/graph/addon.ts';
import { withAddonOps } from '../../../src/trainer/graph/addon-ops.ts';
import { compileStep, type StepSpec } from '../../../src/trainer/graph/compile-step.ts';
import type { Tensors } from '../../../src/trainer/graph/emit-function.ts';
import { NotRecordable } from '../../../src/trainer/graph/not-recordable.ts';
import { missingNative } from '../../../src/trainer/native-build.ts';

/** y = x · w by least squares, with the gradient written out; `wrap` changes what the outputs are compared with. */
function lineSpec(weight: tf.Variable, wrap: (outputs: tf.Tensor) => tf.Tensor = (outputs) => outputs): StepSpec {
  const outputsOf = ({ x }: Tensors): tf.Tensor => tf.matMul(x as tf.Tensor2D, weight);
  return {
    inputs: { x: { shape: [null, 2], dtype: 'float32' }, y: { shape: [null, 1], dtype: 'float32' } },
    variables: { weight },
    step: ({ x, y }) => {
      const outputs = wrap(outputsOf({ x: x! }));
      const errors = tf.sub(outputs, y!);
      const slopes = tf.mul(errors, tf.div(2, x!.shape[0]));
      return {
        loss: tf.mean(tf.square(errors)),
        gradients: { weight: tf.matMul(x as tf.Tensor2D, slopes, true, false) },
        outputs: { outputs },
      };
    },
    functions: { predict: { inputs: ['x'], run: (inputs) => ({ outputs: outputsOf(inputs) }) } },
    optimizer: { kind: 'sgd' },
    clipNorm: null,
  };
}

const weightOf = (numbers: readonly number[]): tf.Variable => tf.variable(tf.tensor2d([...numbers], [2, 1]));
/** An op whose type TensorFlow infers only where it runs op by op. */
const withoutType = (x: tf.Tensor): tf.Tensor =>
  withAddonOps(tf.backend() as unknown as NodeBackend, (ops) => ({ negative: ops.op('Neg', [], [ops.raw(x)]) }))
    .negative;

const addonTensors = (): number => (tf.backend() as unknown as NodeBackend).binding.getNumOfTensors();

describe('compileStep', { skip: missingNative() ?? false }, () => {
  before(() => useBackend('tensorflow'));

  it('takes the step that the formula gives, for any number of rows, one included', () => {
    for (const rowCount of [1, 2, 3, 100]) {
      const weight = weightOf([1, -1]);
      const step = compileStep(lineSpec(weight));
      const x = Float32Array.from({ length: 2 * rowCount }, (_, i) => Math.sin(i));
      const y = Float32Array.from({ length: rowCount }, (_, i) => Math.cos(i));
      const errors = Array.from(y, (label, i) => x[2 * i]! - x[2 * i + 1]! - label);
      const { applied, loss, outputs } = step.run({ x, y }, rowCount, 0.1);
      assert.ok(applied, 'applied');
      assert.ok(Math.abs(loss - errors.reduce((sum, e) => sum + e * e, 0) / rowCount) < 1e-6, 'loss');
      assert.ok(Math.abs(outputs['outputs']![0]! - (x[0]! - x[1]!)) < 1e-6, 'outputs are those before the step');
      const after = step.exportState().variables['weight']!;
      [1, -1].forEach((before_, k) => {
        const slope = (2 / rowCount) * errors.reduce((sum, e, i) => sum + e * x[2 * i + k]!, 0);
        assert.ok(Math.abs(after[k]! - (before_ - 0.1 * slope)) < 1e-6, `weight ${k}`);
      });
      step.dispose();
      weight.dispose();
    }
  });

  it('leaves every variable, slot and power bit by bit as it was where loss or gradient is not finite', () => {
    const weight = weightOf([1, -0]);
    const step = compileStep({ ...lineSpec(weight), optimizer: { kind: 'adam' } });
    step.run({ x: Float32Array.of(1, 2), y: Float32Array.of(3) }, 1, 0.1);
    const state = step.exportState();
    for (const bad of [NaN, Infinity, 3e38]) {
      const { applied } = step.run({ x: Float32Array.of(bad, 1), y: Float32Array.of(1) }, 1, 0.1);
      assert.equal(applied, false);
      assert.deepEqual(step.exportState(), state);
    }
    assert.ok(step.run({ x: Float32Array.of(1, 2), y: Float32Array.of(3) }, 1, 0.1).applied, 'the next step is taken');
    step.dispose();
    weight.dispose();
  });

  it('gives and takes its state bit by bit and adopts none of the arrays', () => {
    const weight = weightOf([1, 2]);
    const step = compileStep({ ...lineSpec(weight), optimizer: { kind: 'adam' } });
    const numbers = Float32Array.of(-0, 1e-45);
    const slots = { 'first/weight': Float32Array.of(-0, 3), 'second/weight': Float32Array.of(1e-40, 4) };
    step.importState({ variables: { weight: numbers }, slots, powers: Float64Array.of(0.9 ** 7, 0.999 ** 7) });
    const state = step.exportState();
    assert.deepEqual(state.variables['weight'], Float32Array.of(-0, 1e-45));
    numbers.fill(9);
    for (const slot of Object.values(slots)) slot.fill(9);
    assert.deepEqual(step.exportState(), state);
    assert.deepEqual(state.slots['first/weight'], Float32Array.of(-0, 3));
    assert.deepEqual(state.powers, Float64Array.of(0.9 ** 7, 0.999 ** 7));
    step.dispose();
    weight.dispose();
  });

  it('feeds tensors from outside the step, variables as they are at that moment', () => {
    const weight = weightOf([1, 1]);
    // One that TensorFlow has, one that has not reached it yet, and a variable.
    const known = tf.add(tf.scalar(1), 1);
    const lazy = tf.scalar(10);
    const variable = tf.variable(tf.scalar(0.5));
    const step = compileStep(lineSpec(weight, (outputs) => tf.add(tf.mul(tf.mul(outputs, known), variable), lazy)));
    tf.dispose([known, lazy]);
    const outputOf = (): number =>
      step.run({ x: Float32Array.of(1, 2), y: Float32Array.of(0) }, 1, 0).outputs['outputs']![0]!;
    assert.equal(outputOf(), 3 * 2 * 0.5 + 10);
    variable.assign(tf.scalar(2));
    assert.equal(outputOf(), 3 * 2 * 2 + 10);
    step.dispose();
    tf.dispose([weight, variable]);
  });

  it('says why it cannot record: random masks, values that are read, other ops for other rows', () => {
    const weight = weightOf([1, 1]);
    const reasons = [
      [(outputs: tf.Tensor) => tf.mul(outputs, tf.randomUniform(outputs.shape)), /a number for each row/],
      [(outputs: tf.Tensor) => tf.mul(outputs, outputs.dataSync()[0]!), /reads the values/],
      [(outputs: tf.Tensor) => (outputs.shape[0] > 10 ? tf.relu(outputs) : outputs), /another number of rows/],
      [withoutType, /TensorFlow does not take the step as a graph: .*No attr named 'T'/],
      [(outputs: tf.Tensor) => tf.mul(outputs, Math.sqrt(outputs.shape[0])), /do not follow from the number of rows/],
    ] as const;
    const tensors = tf.memory().numTensors;
    for (const [wrap, reason] of reasons) {
      assert.throws(
        () => compileStep(lineSpec(weight, wrap)),
        (error) => error instanceof NotRecordable && reason.test(error.message),
      );
    }
    assert.equal(tf.memory().numTensors, tensors);
    weight.dispose();
  });

  it('refuses inputs of another length before TensorFlow sees them, and leaves no tensor behind', () => {
    const weight = weightOf([1, 1]);
    const step = compileStep(lineSpec(weight));
    const before_ = addonTensors();
    assert.throws(
      () => step.run({ x: new Float32Array(3), y: new Float32Array(2) }, 2, 0.1),
      /"x" has 3 numbers, expected 4/,
    );
    assert.throws(() => step.run({ x: new Float32Array(4) }, 2, 0.1), /"y" has no numbers, expected 2/);
    assert.throws(() => step.evaluate('other', {}, 2), /no function "other"/);
    for (let n = 0; n < 10; n++) {
      step.run({ x: new Float32Array(4), y: new Float32Array(2) }, 2, 0.1);
      step.evaluate('predict', { x: new Float32Array(4) }, 2);
      step.importState(step.exportState());
    }
    assert.equal(addonTensors(), before_);
    step.dispose();
    step.dispose();
    weight.dispose();
  });

  it('keeps nothing of inputs that lie in shared memory', () => {
    const weight = weightOf([1, 2]);
    const step = compileStep(lineSpec(weight));
    const shared = new Float32Array(new SharedArrayBuffer(64), 0, 2);
    shared.set([3, 4]);
    const { outputs } = step.evaluate('predict', { x: shared }, 1);
    step.run({ x: shared, y: Float32Array.of(0) }, 1, 0.001);
    const after = step.exportState();
    shared.fill(NaN);
    assert.deepEqual(outputs, Float32Array.of(11));
    assert.deepEqual(step.exportState(), after);
    step.dispose();
    weight.dispose();
  });
});
