import type { Config } from '../../config/config.ts';
import type { Scaler } from '../../operators/normalize.ts';
import { partitionName, type Position, type Snapshot } from '../../records.ts';
import type { RawRows, ServedVersion, TrainedThrough } from '../../serving/predictor.ts';
import { lastTargetsOf } from '../../trainer/last-targets.ts';
import { scorerOf, type Scorer, type ScorerOptions } from '../../trainer/scorer.ts';
import type { TrainerFacts } from '../checkpointing.ts';

/** What a checkpoint gives to serving. */
export interface SavedState {
  readonly id: string;
  readonly step: number;
  readonly positions: readonly Position[];
  readonly parts: ReadonlyMap<string, Snapshot>;
}

export interface VersionOptions {
  readonly config: Config;
  readonly scoring: ScorerOptions;
  /** A fresh one, into which the version's state goes. */
  readonly scaler: Scaler;
  /** The column of the features that is the target itself; -1 where none is. */
  readonly ownTargetColumn: number;
}

/** The models of a checkpoint with the normalizer, targets and classes that belong to them. */
export function servedVersion(saved: SavedState, options: VersionOptions): ServedVersion {
  return new CheckpointVersion(saved, options);
}

class CheckpointVersion implements ServedVersion {
  readonly id: string;
  readonly step: number;
  readonly trainedThrough: TrainedThrough;
  readonly classes: readonly string[] | null;
  readonly #options: VersionOptions;
  readonly #scorers: ReadonlyMap<string, Scorer>;
  /** By key id; empty where no model asks. */
  readonly #lastTargets: ReadonlyMap<number, number>;

  constructor({ id, step, positions, parts }: SavedState, options: VersionOptions) {
    const { config, scoring, scaler } = options;
    const [trainer, derive, normalize] = ['trainer', 'derive', 'normalize'].map((part) => partOf(parts, part));
    const specs = Object.entries(config.models);
    this.id = id;
    this.step = step;
    this.trainedThrough = trainedThrough(trainer!, positions);
    this.classes = scoring.task === 'regression' ? null : (derive!.json as { classes: readonly string[] }).classes;
    this.#options = options;
    this.#scorers = new Map(specs.map(([name, spec]) => [name, scorerOf(name, spec, scoring, trainer!)]));
    this.#lastTargets = specs.some(([, { kind }]) => kind === 'lastValue') ? lastTargetsOf(trainer!) : new Map();
    scaler.restore(normalize!);
  }

  refusal(model: string): string | null {
    const { config, ownTargetColumn } = this.#options;
    const needsTarget = config.target.as === 'change' || config.models[model]?.kind === 'lastValue';
    if (!needsTarget || ownTargetColumn >= 0) return null;
    return `models.${model} predicts from ${config.target.field}, which is no feature of its own; post records to /v1/predict`;
  }

  async predict(model: string, rows: RawRows): Promise<Float64Array> {
    const { scoring, scaler } = this.#options;
    const { featureCount } = scoring;
    const { rowCount, ownTargets, keyIds } = rows;
    const features = new Float32Array(rows.features.length);
    for (let row = 0; row < rowCount; row += 1) scaler.transform(rows.features, features, row * featureCount);
    const lastTargets = ownTargets.map((own, row) => (Number.isNaN(own) ? this.#lastTarget(keyIds[row]!) : own));
    const outputs = await this.#scorers
      .get(model)!
      .predict({ rowCount, featureCount, features, keyIds, ownTargets, lastTargets });
    return this.classes === null ? outputs : firstColumns(outputs, scoring.maxClasses, this.classes.length);
  }

  #lastTarget(keyId: number): number {
    return this.#lastTargets.get(keyId) ?? (this.classes === null ? 0 : -1);
  }
}

function partOf(parts: ReadonlyMap<string, Snapshot>, name: string): Snapshot {
  const part = parts.get(name);
  if (part === undefined) throw new Error(`the checkpoint has no part ${name}`);
  return part;
}

function trainedThrough(trainer: Snapshot, positions: readonly Position[]): TrainedThrough {
  // Checkpoints of before it was kept have none.
  const { trainedThroughMs = null } = trainer.json as unknown as Partial<TrainerFacts>;
  return {
    time: trainedThroughMs === null ? null : new Date(trainedThroughMs).toISOString(),
    positions: Object.fromEntries(positions.map((position) => [partitionName(position), position.nextOffset])),
  };
}

/** Of rows `width` wide the first `count` columns. */
function firstColumns(values: Float64Array, width: number, count: number): Float64Array {
  const rowCount = values.length / width;
  const first = new Float64Array(rowCount * count);
  for (let row = 0; row < rowCount; row += 1) first.set(values.subarray(row * width, row * width + count), row * count);
  return first;
}
