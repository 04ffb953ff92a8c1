import type { Config } from '../config/config.ts';
import type { TrainerOptions } from '../trainer/trainer.ts';

/** What of a run the configuration does not say. */
export interface TrainerFacts {
  readonly featureCount: number;
  /** Rows of the partial batch that a checkpoint brings, which may be more than `batch.rows` is now. */
  readonly restoredRows: number;
  readonly wantsPredictions: boolean;
}

/** The trainer's options as the configuration has them. */
export function trainerOptions(config: Config, facts: TrainerFacts): TrainerOptions {
  const { target, training, limits } = config;
  return {
    featureCount: facts.featureCount,
    task: target.task,
    maxClasses: target.task === 'regression' ? 1 : (target.classes?.length ?? target.maxClasses),
    horizonMs: target.horizon ?? null,
    toleranceMs: target.tolerance,
    targetAs: target.as,
    models: config.models,
    served: config.serve,
    training: { ...training, clipNorm: training.clipNorm ?? null, loss: training.loss ?? { kind: 'mse' } },
    backend: config.backend,
    batchRows: Math.max(config.batch.rows, facts.restoredRows),
    scoresMemory: config.scores.memory,
    pendingRows: limits.pendingRows,
    ringBytes: limits.ringBytes,
    seed: config.seed,
    wantsPredictions: facts.wantsPredictions,
  };
}
