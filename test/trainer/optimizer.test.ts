import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Optimizer } from '../../src/trainer/optimizer.ts';
import type { TrainingOptions } from '../../src/trainer/trainer.ts';

const adam: TrainingOptions = { optimizer: 'adam', learningRate: 0.01, clipNorm: null, precision: 'float32' };

function parameterOf(...values: number[]) {
  return { name: 'w', shape: [values.length], values: Float64Array.from(values) };
}

it('SGD steps down the gradient by the rate', () => {
  const parameter = parameterOf(1, 2);
  new Optimizer({ ...adam, optimizer: 'sgd', learningRate: 0.5 }, [parameter]).apply([Float64Array.of(2, -4)]);
  assert.deepEqual([...parameter.values], [0, 4]);
});

it('Adam follows algorithm 1 of Kingma and Ba', () => {
  const parameter = parameterOf(1);
  const optimizer = new Optimizer(adam, [parameter]);
  let [weight, first, second] = [1, 0, 0];
  for (let t = 1; t <= 50; t++) {
    const slope = Math.sin(t) + 0.3;
    optimizer.apply([Float64Array.of(slope)]);
    first = 0.9 * first + 0.1 * slope;
    second = 0.999 * second + 0.001 * slope ** 2;
    weight -= (0.01 * (first / (1 - 0.9 ** t))) / (Math.sqrt(second / (1 - 0.999 ** t)) + 1e-8);
    assert.ok(Math.abs(parameter.values[0]! - weight) < 1e-12);
  }
});

it('gradients longer together than clipNorm are scaled to it, shorter ones are left', () => {
  const options: TrainingOptions = { optimizer: 'sgd', learningRate: 1, clipNorm: 5, precision: 'float32' };
  const [a, b] = [parameterOf(0), parameterOf(0)];
  const optimizer = new Optimizer(options, [a, b]);
  optimizer.apply([Float64Array.of(6), Float64Array.of(8)]);
  assert.deepEqual([a.values[0], b.values[0]], [-3, -4]);
  optimizer.apply([Float64Array.of(3), Float64Array.of(4)]);
  assert.deepEqual([a.values[0], b.values[0]], [-6, -8]);
});

it('a gradient or a result that is not finite changes nothing', () => {
  for (const optimizerName of ['sgd', 'adam'] as const) {
    const parameter = { name: 'w', shape: [2], values: Float32Array.of(1, 2) };
    const optimizer = new Optimizer({ ...adam, optimizer: optimizerName, learningRate: 10 }, [parameter]);
    assert.equal(optimizer.apply([Float32Array.of(1, 1)]), true);
    const [values, state] = [parameter.values.slice(), optimizer.snapshot()];
    for (const bad of [NaN, Infinity, 3e38]) assert.equal(optimizer.apply([Float32Array.of(0.5, bad)]), false);
    assert.deepEqual(parameter.values, values);
    assert.deepEqual(optimizer.snapshot(), state);
  }
});

it('restored from SGD, Adam begins with empty slots', () => {
  const parameter = parameterOf(1);
  const optimizer = new Optimizer(adam, [parameter]);
  optimizer.restore(new Optimizer({ ...adam, optimizer: 'sgd' }, [parameter]).snapshot());
  assert.deepEqual(optimizer.snapshot()['powers'], Float64Array.of(1, 1));
});
