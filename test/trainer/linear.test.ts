import assert from 'node:assert/strict';
import { it } from 'node:test';
import { KnownClasses } from '../../src/trainer/known-classes.ts';
import { LinearLearner } from '../../src/trainer/linear.ts';
import { classificationHead, regressionHead } from '../../src/trainer/output-head.ts';
import { batchTable, type RowTable } from '../../src/trainer/row-table.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';
import type { TrainingOptions } from '../../src/trainer/trainer.ts';
import { batches, readings, type Reading } from './support.ts';

const sgd: TrainingOptions = {
  optimizer: { kind: 'sgd' },
  learningRate: 0.1,
  clipNorm: null,
  precision: 'float32',
  loss: { kind: 'mse' },
};

function tables(stream: readonly Reading[], rows: number): RowTable[] {
  return batches(stream, rows).map((batch) => batchTable(batch, new Float64Array(batch.rowCount)));
}

it('regression by SGD predicts what standardized least mean squares, worked out row by row, predicts', () => {
  const stream = readings(300);
  const scale = new TargetScale('value');
  const learner = new LinearLearner(3, regressionHead(scale, sgd.loss), sgd);
  const predicted: number[] = [];
  for (const rows of tables(stream, 1)) {
    scale.stage(rows, rows.labels);
    predicted.push(learner.learn(rows, rows.labels).predictions[0]!);
    scale.commit();
  }
  let weights = [0, 0, 0, 0];
  const seen: number[] = [];
  const moments = (): [number, number] => {
    const mean = seen.reduce((sum, value) => sum + value, 0) / Math.max(1, seen.length);
    const variance = seen.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, seen.length);
    return [mean, variance > 0 ? Math.sqrt(variance) : 1];
  };
  stream.forEach(({ features, target }, n) => {
    const inputs = [...features.map(Math.fround), 1];
    const output = inputs.reduce((sum, input, k) => sum + input * weights[k]!, 0);
    const [meanBefore, deviationBefore] = moments();
    assert.ok(Math.abs(predicted[n]! - (output * deviationBefore + meanBefore)) < 1e-9);
    seen.push(target);
    const [mean, deviation] = moments();
    const error = output - (target - mean) / deviation;
    weights = weights.map((weight, k) => weight - 0.1 * 2 * error * inputs[k]!);
  });
});

it('softmax regression steps down the gradient of the mean cross-entropy over the classes known with the batch', () => {
  const [batch] = tables(readings(12, 3, 3), 12);
  const rows = batch!;
  const classes = new KnownClasses();
  const learner = new LinearLearner(3, classificationHead(classes, 5), sgd);
  classes.stage(rows, rows.labels);
  const known = classes.next;
  assert.equal(known, 3);
  const loss = (parameters: readonly number[]): number => {
    let sum = 0;
    for (let i = 0; i < rows.rowCount; i++) {
      const outputs = Array.from({ length: known }, (_, k) =>
        [0, 1, 2].reduce((total, f) => total + rows.features[i * 3 + f]! * parameters[f * 5 + k]!, parameters[15 + k]!),
      );
      sum += Math.log(outputs.reduce((total, output) => total + Math.exp(output), 0)) - outputs[rows.labels[i]!]!;
    }
    return sum / rows.rowCount;
  };
  const zero = Array.from({ length: 20 }, () => 0);
  const slopes = zero.map((_, p) => {
    const shifted = (by: number): number => loss(zero.with(p, by));
    return (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
  });
  const result = learner.learn(rows, rows.labels);
  assert.ok(Math.abs(result.loss - Math.log(3)) < 1e-12);
  assert.deepEqual(result.predictions, new Float64Array(60));
  const weights = learner.weights().flatMap(({ values }) => [...values]);
  weights.forEach((weight, p) => {
    assert.ok(Math.abs(weight + 0.1 * slopes[p]!) < 1e-7);
  });
  classes.commit();
  const probabilities = learner.predict(rows);
  for (let i = 0; i < 12; i++) {
    const row = [...probabilities.subarray(i * 5, i * 5 + 5)];
    assert.ok(Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 1e-12);
    assert.deepEqual(row.slice(3), [0, 0]);
  }
});

it('predict changes nothing, and a row that is not finite is named and nothing learned', () => {
  const scale = new TargetScale('value');
  const learner = new LinearLearner(3, regressionHead(scale, sgd.loss), { ...sgd, optimizer: { kind: 'adam' } });
  const [rows] = tables(readings(4), 4);
  scale.stage(rows!, rows!.labels);
  learner.learn(rows!, rows!.labels);
  const state = learner.snapshot();
  learner.predict(rows!);
  assert.deepEqual(learner.snapshot(), state);
  const features = rows!.features.slice();
  features[4] = Infinity;
  features[9] = NaN;
  const { applied, badRows } = learner.learn({ ...rows!, features }, rows!.labels);
  assert.equal(applied, false);
  assert.deepEqual([...badRows], [1, 3]);
  assert.deepEqual(learner.snapshot(), state);
});
