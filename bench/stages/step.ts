import { useBackend } from '../../src/trainer/backends.ts';
import type { Rows } from '../../src/trainer/learner.ts';
import { MlpLearner } from '../../src/trainer/mlp.ts';
import { regressionHead } from '../../src/trainer/output-head.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';
import { measure, timed } from '../measure.ts';
import type { Stage } from '../stages.ts';

/** One gradient step of an 8-64-64-1 net by Adam, on the backend that `auto` takes. */
export const step: Stage = async ({ isShort, repetition }) => {
  const { name } = await useBackend('auto');
  const measureSteps = (rowCount: number, steps: number) => {
    const learner = smallNet();
    const rows = rowsOf(rowCount);
    const labels = Float64Array.from({ length: rowCount }, (_, row) => Math.cos(row));
    const stepOften = (): void => {
      for (let n = 0; n < steps; n += 1) learner.learn(rows, labels);
    };
    return measure(`step.${rowCount}`, repetition, () => timed(steps * rowCount, stepOften), name);
  };
  return [await measureSteps(32, isShort ? 20 : 1000), await measureSteps(1024, isShort ? 5 : 150)];
};

const featureCount = 8;

function smallNet(): MlpLearner {
  return new MlpLearner(regressionHead(new TargetScale('value')), {
    featureCount,
    spec: { kind: 'mlp', hidden: [64, 64], activation: 'relu' },
    training: { optimizer: 'adam', learningRate: 0.001, clipNorm: null },
    seed: 1,
  });
}

function rowsOf(rowCount: number): Rows {
  const none = new Float64Array(rowCount);
  const features = Float32Array.from({ length: rowCount * featureCount }, (_, n) => Math.sin(n));
  return { rowCount, featureCount, features, keyIds: new Int32Array(rowCount), ownTargets: none, lastTargets: none };
}
