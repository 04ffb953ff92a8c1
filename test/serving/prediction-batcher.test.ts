import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PredictionBatcher } from '../../src/serving/prediction-batcher.ts';
import type { RawRows, ServedVersion } from '../../src/serving/predictor.ts';
import { SumPredictor, sumVersion, type SumOptions } from './sum-predictor.ts';

const sums = new SumPredictor(null);
const rowsOfFeatures = (features: Float64Array): RawRows => sums.rowsOfFeatures(features);
const row = (a: number, b: number): RawRows => rowsOfFeatures(Float64Array.of(a, b));

/** A version that notes how many rows it is asked for at a time. */
function counting(
  step: number,
  options: SumOptions = {},
): { readonly version: ServedVersion; readonly asked: number[] } {
  const asked: number[] = [];
  const version = sumVersion(step, options);
  const predict: ServedVersion['predict'] = (model, rows) => {
    asked.push(rows.rowCount);
    return version.predict(model, rows);
  };
  return { version: { ...version, predict }, asked };
}

suite('the prediction batcher', () => {
  test('runs the model once for the requests of a turn, and each gets its own rows', async () => {
    const batcher = new PredictionBatcher();
    const { version, asked } = counting(2, { classes: ['rain', 'sun'] });
    const two = rowsOfFeatures(Float64Array.of(0.125, 0, 0.25, 0));
    const parts = [row(0.0625, 0), two, rowsOfFeatures(new Float64Array()), row(0.375, 0)];
    const outputs = await Promise.all(parts.map((rows) => batcher.predict(version, 'main', rows)));
    assert.deepEqual(
      outputs.map((values) => [...values]),
      [[0.125, 0.875], [0.25, 0.75, 0.5, 0.5], [], [0.75, 0.25]],
    );
    assert.deepEqual(asked, [4]);
    await batcher.predict(version, 'main', row(1, 1));
    assert.deepEqual(asked, [4, 1], 'the next turn begins anew');
  });

  test('mixes neither versions nor models, whatever comes in between', async () => {
    const batcher = new PredictionBatcher();
    const [old, next] = [counting(1), counting(3)];
    const outputs = await Promise.all([
      batcher.predict(old.version, 'main', row(1, 1)),
      batcher.predict(next.version, 'main', row(1, 1)),
      batcher.predict(next.version, 'shadow', row(1, 1)),
      batcher.predict(next.version, 'main', row(2, 1)),
      batcher.predict(next.version, 'main', row(2, 2)),
    ]);
    assert.deepEqual(
      outputs.map(([value]) => value),
      [2, 6, 0, 9, 12],
    );
    assert.deepEqual([old.asked, next.asked], [[1], [1, 1, 2]]);
  });

  test('leaves rows beyond 1,024 to the next turn', async () => {
    const batcher = new PredictionBatcher();
    const { version, asked } = counting(1);
    const rows = (count: number): RawRows => rowsOfFeatures(new Float64Array(2 * count));
    await Promise.all([1000, 24, 1, 1024, 5].map((count) => batcher.predict(version, 'main', rows(count))));
    assert.deepEqual(asked, [1024, 1, 1024, 5]);
  });

  test('an error of the model is the error of all that it was run for, and of no others', async () => {
    const batcher = new PredictionBatcher();
    const broken: ServedVersion = {
      ...sumVersion(1),
      predict: () => {
        throw new Error('broken');
      },
    };
    const first = batcher.predict(broken, 'main', row(1, 1));
    const second = batcher.predict(broken, 'main', row(1, 1));
    const other = batcher.predict(sumVersion(1), 'main', row(1, 1));
    await assert.rejects(first, /broken/);
    await assert.rejects(second, /broken/);
    assert.deepEqual([...(await other)], [2]);
  });
});
