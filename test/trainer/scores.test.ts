import assert from 'node:assert/strict';
import { it } from 'node:test';
import { uniformNumbers } from '../../src/trainer/random.ts';
import { ClassificationScores, fadingFactor, RegressionScores } from '../../src/trainer/scores.ts';

const random = uniformNumbers(5);
const labels = Array.from({ length: 500 }, () => 1000 + 50 * random());
const predictions = Float64Array.from(labels, (label) => label + 10 * (random() - 0.5));

function isNear(found: number | null | undefined, expected: number): void {
  assert.ok(
    typeof found === 'number' && Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
    `${found} is not ${expected}`,
  );
}

function weighted(values: readonly number[], weights: readonly number[]): number {
  const sum = values.reduce((total, value, i) => total + value * weights[i]!, 0);
  return sum / weights.reduce((total, weight) => total + weight, 0);
}

for (const [name, factor] of [
  ['in total', 1],
  ['over a fading window', fadingFactor(50)],
] as const) {
  it(`regression scores ${name} equal their definitions over all rows`, () => {
    const scores = new RegressionScores(factor);
    labels.forEach((label, i) => {
      scores.add(label, predictions, i);
    });
    const weights = labels.map((_, i) => factor ** (labels.length - 1 - i));
    const errors = labels.map((label, i) => label - predictions[i]!);
    const mean = weighted(labels, weights);
    const mse = weighted(
      errors.map((error) => error ** 2),
      weights,
    );
    const spread = weighted(
      labels.map((label) => (label - mean) ** 2),
      weights,
    );
    const { mae, rmse, r2 } = scores.metrics();
    isNear(mae, weighted(errors.map(Math.abs), weights));
    isNear(rmse, Math.sqrt(mse));
    isNear(r2, 1 - mse / spread);
  });
}

it('scores without rows, and r2 of equal labels, are null', () => {
  assert.deepEqual(new RegressionScores(1).metrics(), { mae: null, rmse: null, r2: null });
  const scores = new RegressionScores(1);
  for (let i = 0; i < 3; i++) scores.add(7, Float64Array.of(6), 0);
  assert.deepEqual(scores.metrics(), { mae: 1, rmse: 1, r2: null });
  const none = { accuracy: null, logLoss: null, macroF1: null, kappa: null };
  assert.deepEqual(new ClassificationScores(1, 3).metrics(), none);
});

it('classification scores equal those worked out by hand', () => {
  // Labels 0 0 0 1 1 2, predicted 0 0 1 1 1 0.
  const scores = new ClassificationScores(1, 4);
  const rows: [number, number, number][] = [
    [0, 0, 0.7],
    [0, 0, 0.6],
    [0, 1, 0.4],
    [1, 1, 0.8],
    [1, 1, 0.9],
    [2, 0, 0],
  ];
  let logLoss = 0;
  for (const [label, predicted, probability] of rows) {
    const row = new Float64Array(4);
    row[predicted] = 0.95;
    row[label] = predicted === label ? 0.95 : probability;
    scores.add(label, row, 0);
    logLoss -= Math.log(Math.max(row[label] ?? 0, 1e-15));
  }
  const metrics = scores.metrics();
  isNear(metrics['accuracy'], 4 / 6);
  isNear(metrics['logLoss'], logLoss / 6);
  // F1 of 0: 2·2/(3+3), of 1: 2·2/(2+3), of 2: 0; class 3 never occurs.
  isNear(metrics['macroF1'], (4 / 6 + 4 / 5 + 0) / 3);
  const byChance = (3 * 3 + 2 * 3 + 1 * 0) / 36;
  isNear(metrics['kappa'], (4 / 6 - byChance) / (1 - byChance));
});

it('a row without a known class is wrong and costs the clipped log loss', () => {
  const scores = new ClassificationScores(1, 2);
  scores.add(1, new Float64Array(2), 0);
  const { accuracy, logLoss, macroF1, kappa } = scores.metrics();
  assert.equal(accuracy, 0);
  isNear(logLoss, -Math.log(1e-15));
  assert.equal(macroF1, 0);
  assert.equal(kappa, 0);
});

it('faded classification scores equal those of weighted rows, also when their weights are brought back', () => {
  const scores = new ClassificationScores(fadingFactor(4), 2);
  const hits = Array.from({ length: 2000 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  for (const hit of hits) scores.add(0, hit === 1 ? Float64Array.of(1, 0) : Float64Array.of(0, 1), 0);
  const weights = hits.map((_, i) => fadingFactor(4) ** (hits.length - 1 - i));
  isNear(scores.metrics()['accuracy'], weighted(hits, weights));
});

it('restored scores go on bit by bit', () => {
  for (const make of [() => new RegressionScores(0.9), () => new ClassificationScores(0.9, 3)]) {
    const [scores, restored] = [make(), make()];
    for (let i = 0; i < 9; i++) scores.add(i % 3, Float64Array.of(0.5, 0.3, 0.2), 0);
    restored.restore(scores.snapshot());
    for (const each of [scores, restored]) each.add(2, Float64Array.of(0.1, 0.2, 0.7), 0);
    assert.deepEqual(restored.metrics(), scores.metrics());
  }
});
