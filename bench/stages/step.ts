import { useBackend } from '../../src/trainer/backends.ts';
import { createMlp } from '../../src/trainer/create-mlp.ts';
import type { Learner, Rows } from '../../src/trainer/learner.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';
import type { BackendName } from '../../src/trainer/trainer.ts';
import { type Measurement, measure, timed } from '../measure.ts';
import type { Stage } from '../stages.ts';

/** One gradient step of an 8-64-64-1 net by Adam: on the backend that `auto` takes, and on those that work everywhere. */
export const step: Stage = async ({ isShort, repetition }) => {
  const measurements: Measurement[] = [];
  for (const { wanted, prefix, rowCounts } of engines) {
    const { name } = await useBackend(wanted);
    for (const rowCount of rowCounts) {
      const learner = await smallNet(name);
      const rows = rowsOf(rowCount);
      const labels = Float64Array.from({ length: rowCount }, (_, row) => Math.cos(row));
      const steps = isShort ? 5 : Math.max(5, Math.round(rowsInARun[name] / (rowCount + 100)));
      const stepOften = (): void => {
        for (let n = 0; n < steps; n += 1) learner.learn(rows, labels);
      };
      const subject = `${prefix}.${rowCount}`;
      measurements.push(await measure(subject, repetition, () => timed(steps * rowCount, stepOften), name));
      learner.dispose();
    }
  }
  return measurements;
};

interface Engine {
  readonly wanted: BackendName | 'auto';
  readonly prefix: string;
  readonly rowCounts: readonly number[];
}

const engines: readonly Engine[] = [
  { wanted: 'auto', prefix: 'step', rowCounts: [32, 256, 1024, 4096] },
  { wanted: 'wasm', prefix: 'step.wasm', rowCounts: [32, 1024] },
  { wanted: 'cpu', prefix: 'step.cpu', rowCounts: [32, 1024] },
];

/** About half a second's worth, counting a call as a hundred rows. */
const rowsInARun: Readonly<Record<BackendName, number>> = {
  tensorflow: 500_000,
  webgpu: 100_000,
  wasm: 100_000,
  cpu: 10_000,
};

const featureCount = 8;

function smallNet(backend: BackendName): Promise<Learner> {
  return createMlp(backend, new TargetScale('value'), 1, {
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
