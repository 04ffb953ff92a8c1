import { useBackend } from '../../src/trainer/backends.ts';
import { createMlp } from '../../src/trainer/create-mlp.ts';
import type { Learner, Rows } from '../../src/trainer/learner.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';
import type { BackendName } from '../../src/trainer/trainer.ts';
import { type Measurement, measure, timed } from '../measure.ts';
import type { Stage, StageInput } from '../stages.ts';

/** One gradient step of an 8-64-64-1 net by Adam: on the backend that `auto` takes, and on those that work everywhere. */
export const step: Stage = (input) => stepOn(engines, { featureCount: 8, hidden: [64, 64] }, input);

/** One of a 64-512-512-1 net, where products of matrices are nearly all that it costs. */
export const largeStep: Stage = (input) => stepOn(largeEngines, { featureCount: 64, hidden: [512, 512] }, input);

interface Net {
  readonly featureCount: number;
  readonly hidden: readonly number[];
}

async function stepOn(chosen: readonly Engine[], net: Net, { isShort, repetition }: StageInput): ReturnType<Stage> {
  const measurements: Measurement[] = [];
  for (const { wanted, prefix, rowCounts, rowsInARun } of chosen) {
    const { name } = await useBackend(wanted);
    for (const rowCount of rowCounts) {
      const learner = await learnerOf(net, name);
      const rows = rowsOf(rowCount, net.featureCount);
      const labels = Float64Array.from({ length: rowCount }, (_, row) => Math.cos(row));
      const steps = isShort ? 5 : Math.max(5, Math.round(rowsInARun / (rowCount + 100)));
      const stepOften = (): void => {
        for (let n = 0; n < steps; n += 1) learner.learn(rows, labels);
      };
      const subject = `${prefix}.${rowCount}`;
      measurements.push(await measure(subject, repetition, () => timed(steps * rowCount, stepOften), name));
      learner.dispose();
    }
  }
  return measurements;
}

interface Engine {
  readonly wanted: BackendName | 'auto';
  readonly prefix: string;
  readonly rowCounts: readonly number[];
  /** About half a second's worth, counting a call as a hundred rows. */
  readonly rowsInARun: number;
}

const engines: readonly Engine[] = [
  { wanted: 'auto', prefix: 'step', rowCounts: [32, 256, 1024, 4096], rowsInARun: 500_000 },
  { wanted: 'wasm', prefix: 'step.wasm', rowCounts: [32, 1024], rowsInARun: 100_000 },
  { wanted: 'cpu', prefix: 'step.cpu', rowCounts: [32, 1024], rowsInARun: 10_000 },
];

const largeEngines: readonly Engine[] = [
  { wanted: 'auto', prefix: 'largeStep', rowCounts: [1024, 8192], rowsInARun: 20_000 },
];

function learnerOf({ featureCount, hidden }: Net, backend: BackendName): Promise<Learner> {
  return createMlp(backend, new TargetScale('value'), 1, {
    featureCount,
    spec: { kind: 'mlp', hidden, activation: 'relu' },
    training: {
      optimizer: { kind: 'adam' },
      learningRate: 0.001,
      clipNorm: null,
      precision: 'float32',
      loss: { kind: 'mse' },
    },
    seed: 1,
  });
}

function rowsOf(rowCount: number, featureCount: number): Rows {
  const none = new Float64Array(rowCount);
  const features = Float32Array.from({ length: rowCount * featureCount }, (_, n) => Math.sin(n));
  return { rowCount, featureCount, features, keyIds: new Int32Array(rowCount), ownTargets: none, lastTargets: none };
}
