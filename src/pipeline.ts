import { concatMap, tap, type Observable, type SchedulerLike } from 'rxjs';
import { barriers, type BarrierOptions } from './operators/barriers.ts';
import { batch, type BatchOptions } from './operators/batch.ts';
import type { Batcher } from './operators/batcher.ts';
import { decode, type DecodeOptions, type DecodeState } from './operators/decode.ts';
import { derive, type DeriveOptions } from './operators/derive.ts';
import type { FeatureState } from './operators/feature-state.ts';
import { normalize, type Scaler } from './operators/normalize.ts';
import type { Barrier, Batch } from './records.ts';
import type { Source } from './sources/source.ts';
import type { Trainer } from './trainer/trainer.ts';

/** All that a checkpoint holds of the main thread, by the part's name in it. */
export interface PipelineStates {
  readonly decode: DecodeState;
  readonly derive: FeatureState;
  readonly normalize: Scaler;
  readonly batch: Batcher;
}

/** The parts of a pipeline, made and handed in by `cli/`. */
export interface PipelineParts extends DecodeOptions, DeriveOptions {
  readonly source: Source;
  readonly states: PipelineStates;
  readonly barriers: BarrierOptions;
  readonly batching: BatchOptions;
  readonly trainer: Pick<Trainer, 'observe'>;
  /** Called when a barrier has passed all that rejects records: what is rejected from now on lies behind it. */
  readonly onBarrier?: () => void;
  /** Makes what the barrier describes durable; the stream waits for it. */
  readonly saveCheckpoint: (barrier: Barrier) => Promise<void>;
  /** Virtual time in tests. */
  readonly scheduler?: SchedulerLike;
}

/** The whole dataflow: blocks of records in, batches learned out. Subscribing starts it; errors are fatal. */
export function pipeline(parts: PipelineParts): Observable<Batch> {
  const { source, states, telemetry, scheduler } = parts;
  return source.blocks.pipe(
    barriers(parts.barriers, scheduler),
    decode(states.decode, parts),
    derive(states.derive, parts),
    tap(({ barrier }) => {
      if (barrier !== null) parts.onBarrier?.();
    }),
    normalize(states.normalize, telemetry),
    batch(states.batch, parts.batching, scheduler),
    concatMap((rows) => learn(rows, parts)),
  );
}

async function learn(rows: Batch, { trainer, saveCheckpoint }: PipelineParts): Promise<Batch> {
  if (rows.rowCount > 0) await trainer.observe(rows);
  rows.release();
  if (rows.barrier !== null) await saveCheckpoint(rows.barrier);
  return rows;
}
