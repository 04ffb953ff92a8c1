import { Batcher } from '../operators/batcher.ts';
import { DecodeState, type OnReject } from '../operators/decode.ts';
import { fieldPlanOf, type FeatureColumn, type FeaturePlan } from '../operators/feature-plan.ts';
import { FeatureState } from '../operators/feature-state.ts';
import { unscaled, type Scaler } from '../operators/normalize.ts';
import { TrialRows } from '../operators/trial-rows.ts';
import { RunningMoments } from '../operators/running-moments.ts';
import type { RowCodec } from '../codecs/row-codec.ts';
import type { Config } from '../config/config.ts';
import type { PipelineParts, PipelineStates } from '../pipeline.ts';
import type { Position, Snapshot } from '../records.ts';
import { Credit } from '../sources/credit.ts';
import type { MakeSource } from '../sources/source.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Trainer, TrainerOptions } from '../trainer/trainer.ts';
import { featurePlan } from './feature-plan.ts';
import { inputFields, makeCodec, makeSource } from './input.ts';
import { refuseUnknownFields } from './known-fields.ts';
import { trainerOptions } from './trainer-options.ts';

/** What a checkpoint brings back: positions, and each part's snapshot by name. */
export interface Restored {
  readonly positions: readonly Position[];
  readonly parts: ReadonlyMap<string, Snapshot>;
}

/** What the parts are made of besides the configuration. */
export interface AssemblyOptions {
  readonly config: Config;
  readonly isBounded: boolean;
  /** Needed where the configuration says `source: program`, and unused elsewhere. */
  readonly source?: MakeSource | undefined;
  /** By default the pipeline starts anew. */
  readonly restored?: Restored | null;
  /** True where every report shall carry the scored predictions. */
  readonly wantsPredictions?: boolean;
  readonly telemetry: Telemetry;
  readonly onReject: OnReject;
  /** `workerTrainer`, or `inlineTrainer` where one thread is enough. */
  readonly makeTrainer: (options: TrainerOptions, snapshot: Snapshot | null) => Promise<Trainer>;
}

/** Everything of a pipeline but what a checkpoint is saved to. */
export interface Assembly extends Omit<PipelineParts, 'saveCheckpoint'> {
  readonly codec: RowCodec;
  readonly trainer: Trainer;
  readonly credit: Credit;
  readonly plan: FeaturePlan;
}

/**
 * Builds every component that the configuration describes, and restores each from its part of the checkpoint.
 * @throws ConfigError where files, columns or limits do not fit together.
 */
export async function assemble(options: AssemblyOptions): Promise<Assembly> {
  const { config, isBounded, restored = null, wantsPredictions = false, telemetry, onReject } = options;
  const plan = await featurePlan(config, () => inputFields(config, telemetry));
  await refuseUnknownFields(config, plan);
  const codec = await makeCodec(config, fieldPlanOf(plan), isBounded, telemetry);
  const states = restoredStates(config, plan, restored);
  const { featureCount } = states.derive;
  const facts = { featureCount, restoredRows: states.batch.rowCount, wantsPredictions };
  const positions = restored?.positions ?? [];
  const credit = new Credit(config.limits.creditBytes);
  const source = await makeSource(config, { isBounded, positions, makeSource: options.source }, credit, telemetry);
  // Last, since a thread that nobody ends would keep a failed process alive.
  const trainer = await options.makeTrainer(trainerOptions(config, facts), restored?.parts.get('trainer') ?? null);
  for (const { model, reason } of trainer.backend.eager) {
    telemetry.emit({
      type: 'modelDegraded',
      message: `${model} runs op by op, slower than as one graph: ${reason}`,
    });
  }
  return {
    source,
    codec,
    plan,
    states,
    telemetry,
    onReject,
    trainer,
    credit,
    batching: { maxDelayMs: config.batch.maxDelay ?? null, featureCount, telemetry },
    barriers: { positions, ...barrierRhythm(config) },
  };
}

function restoredStates(config: Config, plan: FeaturePlan, restored: Restored | null): PipelineStates {
  const derive = new FeatureState(plan);
  const states: PipelineStates = {
    decode: new DecodeState(),
    derive,
    trial: new TrialRows({
      featureCount: derive.featureCount,
      horizonMs: config.target.horizon ?? null,
      toleranceMs: config.target.tolerance,
      ...config.promotion,
    }),
    normalize: makeScaler(config, derive.columns),
    batch: new Batcher(config.batch.rows, derive.featureCount),
  };
  for (const [name, state] of Object.entries(states) as [string, PipelineStates[keyof PipelineStates]][]) {
    const part = restored?.parts.get(name);
    if (part !== undefined) state.restore(part);
  }
  return states;
}

/** What normalizes these columns, with nothing learned yet. */
export function makeScaler({ normalize }: Config, columns: readonly FeatureColumn[]): Scaler {
  const scaled = columns.map(({ isScaled }) => isScaled);
  return normalize.kind === 'standard' ? new RunningMoments(scaled, normalize.memory) : unscaled(columns.length);
}

/** Steps are counted in full batches, so that the rhythm depends on the records alone. */
function barrierRhythm({ checkpoint, batch }: Config): { everyMs: number | null; everyRecords: number | null } {
  return 'ms' in checkpoint.every
    ? { everyMs: checkpoint.every.ms, everyRecords: null }
    : { everyMs: null, everyRecords: checkpoint.every.steps * batch.rows };
}
