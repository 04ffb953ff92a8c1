import type { Batch } from '../../src/records.ts';
import { uniformNumbers } from '../../src/trainer/random.ts';
import type { TrainerOptions } from '../../src/trainer/trainer.ts';

/** Options of a small trainer: linear regression by SGD, nothing waits. */
export function trainerOptions(changes: Partial<TrainerOptions> = {}): TrainerOptions {
  return {
    featureCount: 3,
    task: 'regression',
    maxClasses: 1,
    horizonMs: null,
    toleranceMs: 0,
    targetAs: 'value',
    models: { main: { kind: 'linear' } },
    served: 'main',
    training: {
      optimizer: { kind: 'sgd' },
      learningRate: 0.05,
      clipNorm: null,
      precision: 'float32',
      loss: { kind: 'mse' },
    },
    backend: 'cpu',
    batchRows: 16,
    scoresMemory: 100,
    pendingRows: 1000,
    ringBytes: 1 << 16,
    seed: 1,
    wantsPredictions: false,
    ...changes,
  };
}

export interface Reading {
  readonly features: readonly number[];
  readonly target: number;
  readonly timeMs?: number;
  readonly keyId?: number;
  readonly offset?: number;
  readonly partition?: number;
  readonly isScored?: boolean;
}

/** A batch of these rows; by default one key, one partition, an hour between rows. */
export function batchOf(readings: readonly Reading[], evictedKeyIds: readonly number[] = []): Batch {
  const featureCount = readings[0]?.features.length ?? 3;
  return {
    barrier: null,
    isEndOfInput: false,
    release: () => undefined,
    rowCount: readings.length,
    featureCount,
    features: Float32Array.from(readings.flatMap(({ features }) => features)),
    targets: Float64Array.from(readings, ({ target }) => target),
    timesMs: Float64Array.from(readings, ({ timeMs }, i) => timeMs ?? i * 3_600_000),
    timestampsMs: Float64Array.from(readings, ({ timeMs }, i) => (timeMs ?? i * 3_600_000) + 5),
    offsets: Float64Array.from(readings, ({ offset }, i) => offset ?? i),
    keyIds: Int32Array.from(readings, ({ keyId }) => keyId ?? 0),
    originIds: Int32Array.from(readings, ({ partition }) => partition ?? 0),
    partitions: Int32Array.from(readings, ({ partition }) => partition ?? 0),
    isScored: Uint8Array.from(readings, ({ isScored }) => (isScored === false ? 0 : 1)),
    evictedKeyIds: Int32Array.from(evictedKeyIds),
  };
}

/** A stream of `count` readings of three keys in turn, an hour apart at each: a noisy line of three features. */
export function readings(count: number, seed = 7, classes = 0): Reading[] {
  const random = uniformNumbers(seed);
  return Array.from({ length: count }, (_, n) => {
    const features = [random() * 2 - 1, random() * 2 - 1, random() * 2 - 1];
    const line = 20 + 5 * features[0]! - 3 * features[1]! + features[2]! ** 2 + 0.1 * random();
    const target = classes === 0 ? line : Math.min(classes - 1, Math.max(0, Math.floor((line - 14) / (12 / classes))));
    return { features, target, timeMs: Math.floor(n / 3) * 3_600_000, keyId: n % 3, offset: n };
  });
}

/** The stream cut into batches of `rows`. */
export function batches(stream: readonly Reading[], rows: number): Batch[] {
  return Array.from({ length: Math.ceil(stream.length / rows) }, (_, b) =>
    batchOf(stream.slice(b * rows, (b + 1) * rows)),
  );
}
