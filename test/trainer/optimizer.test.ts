import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Optimizer } from '../../src/trainer/optimizer.ts';
import type { TrainingOptions } from '../../src/trainer/trainer.ts';
import type { OptimizerOptions } from '../../src/trainer/update-rules.ts';

const adam: TrainingOptions = {
  optimizer: { kind: 'adam' },
  learningRate: 0.01,
  clipNorm: null,
  precision: 'float32',
  loss: { kind: 'mse' },
};

const rules: readonly OptimizerOptions[] = [
  { kind: 'sgd' },
  { kind: 'momentum', momentum: 0.9, nesterov: false },
  { kind: 'momentum', momentum: 0.9, nesterov: true },
  { kind: 'adam' },
  { kind: 'adamw', weightDecay: 0.1 },
  { kind: 'rmsprop', decay: 0.9, momentum: 0.5 },
  { kind: 'adagrad' },
];

function parameterOf(...values: number[]) {
  return { name: 'w', shape: [values.length], values: Float64Array.from(values) };
}

it('SGD steps down the gradient by the rate', () => {
  const parameter = parameterOf(1, 2);
  new Optimizer({ ...adam, optimizer: { kind: 'sgd' }, learningRate: 0.5 }, [parameter]).apply([
    Float64Array.of(2, -4),
  ]);
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

/** A weight after each of 20 steps, by the text-book form of a rule: from the step's number, slope and weight to the next weight. */
function followed(optimizer: OptimizerOptions, next: (t: number, slope: number, weight: number) => number): void {
  const parameter = parameterOf(1);
  const tested = new Optimizer({ ...adam, optimizer }, [parameter]);
  let weight = 1;
  for (let t = 1; t <= 20; t++) {
    const slope = Math.sin(t) + 0.3;
    tested.apply([Float64Array.of(slope)]);
    weight = next(t, slope, weight);
    assert.ok(Math.abs(parameter.values[0]! - weight) < 1e-12, `step ${t}: ${parameter.values[0]}, expected ${weight}`);
  }
}

it('momentum adds up what is left of the slopes before, and by Nesterov looks one step ahead', () => {
  for (const nesterov of [false, true]) {
    const slopes: number[] = [];
    const sumOf = (): number => slopes.reduce((sum, slope, s) => sum + slope * 0.9 ** (slopes.length - 1 - s), 0);
    followed({ kind: 'momentum', momentum: 0.9, nesterov }, (_, slope, weight) => {
      slopes.push(slope);
      return weight - 0.01 * (nesterov ? slope + 0.9 * sumOf() : sumOf());
    });
  }
});

it('AdamW takes its share off the weight before Adam steps', () => {
  let [first, second] = [0, 0];
  followed({ kind: 'adamw', weightDecay: 0.1 }, (t, slope, weight) => {
    first = 0.9 * first + 0.1 * slope;
    second = 0.999 * second + 0.001 * slope ** 2;
    return (
      weight * (1 - 0.01 * 0.1) - (0.01 * (first / (1 - 0.9 ** t))) / (Math.sqrt(second / (1 - 0.999 ** t)) + 1e-8)
    );
  });
});

it('RMSProp divides by the root of the mean square, with momentum on the step', () => {
  let [square, moment] = [0, 0];
  followed({ kind: 'rmsprop', decay: 0.9, momentum: 0.5 }, (_, slope, weight) => {
    square = 0.9 * square + 0.1 * slope ** 2;
    moment = 0.5 * moment + (0.01 * slope) / Math.sqrt(square + 1e-8);
    return weight - moment;
  });
});

it('AdaGrad divides by the root of all squares so far and 0.1', () => {
  let sum = 0.1;
  followed({ kind: 'adagrad' }, (_, slope, weight) => {
    sum += slope ** 2;
    return weight - (0.01 * slope) / (Math.sqrt(sum) + 1e-8);
  });
});

it('gradients longer together than clipNorm are scaled to it, shorter ones are left', () => {
  const options: TrainingOptions = {
    optimizer: { kind: 'sgd' },
    learningRate: 1,
    clipNorm: 5,
    precision: 'float32',
    loss: { kind: 'mse' },
  };
  const [a, b] = [parameterOf(0), parameterOf(0)];
  const optimizer = new Optimizer(options, [a, b]);
  optimizer.apply([Float64Array.of(6), Float64Array.of(8)]);
  assert.deepEqual([a.values[0], b.values[0]], [-3, -4]);
  optimizer.apply([Float64Array.of(3), Float64Array.of(4)]);
  assert.deepEqual([a.values[0], b.values[0]], [-6, -8]);
});

it('a gradient or a result that is not finite changes nothing', () => {
  for (const rule of rules) {
    const parameter = { name: 'w', shape: [2], values: Float32Array.of(1, 2) };
    const optimizer = new Optimizer({ ...adam, optimizer: rule, learningRate: 10 }, [parameter]);
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
  optimizer.restore(new Optimizer({ ...adam, optimizer: { kind: 'sgd' } }, [parameter]).snapshot());
  assert.deepEqual(optimizer.snapshot()['powers'], Float64Array.of(1, 1));
});

it('a state goes on in the rule that it is of, bit by bit; in one with other slots all begins anew', () => {
  for (const rule of rules) {
    const [first, second] = [parameterOf(1, 2), parameterOf(1, 2)];
    const [saved, restored] = [first, second].map(
      (parameter) => new Optimizer({ ...adam, optimizer: rule }, [parameter]),
    );
    for (let t = 0; t < 3; t++) saved!.apply([Float64Array.of(t, 1)]);
    const fresh = restored!.snapshot();
    restored!.restore({ 'other.w': Float64Array.of(5, 5) });
    assert.deepEqual(restored!.snapshot(), fresh);
    restored!.restore(saved!.snapshot());
    second.values.set(first.values);
    for (const optimizer of [saved!, restored!]) optimizer.apply([Float64Array.of(0.5, -1)]);
    assert.deepEqual(second.values, first.values);
    assert.deepEqual(restored!.snapshot(), saved!.snapshot());
  }
});
