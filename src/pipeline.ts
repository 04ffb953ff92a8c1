import { tap, type Observable, type SchedulerLike } from 'rxjs';
import { admit, InFlight } from './operators/admit.ts';
import { barriers, type BarrierOptions } from './operators/barriers.ts';
import { batch, type BatchOptions } from './operators/batch.ts';
import type { Batcher } from './operators/batcher.ts';
import { decode, type BlockDecoder, type DecodeOptions, type DecodeState } from './operators/decode.ts';
import { derive, type DeriveOptions } from './operators/derive.ts';
import type { FeatureState } from './operators/feature-state.ts';
import { learn, type BatchLearner } from './operators/learn.ts';
import { normalize, type Scaler } from './operators/normalize.ts';
import { prepare, type BlockPreparer } from './operators/prepare.ts';
import { sample } from './operators/sample.ts';
import type { TrialRows } from './operators/trial-rows.ts';
import type { Barrier, Batch, RowBlock } from './records.ts';
import type { Source } from './sources/source.ts';

/** All that a checkpoint holds of the main thread, by the part's name in it. */
export interface PipelineStates {
  readonly decode: DecodeState;
  readonly derive: FeatureState;
  readonly trial: TrialRows;
  readonly normalize: Scaler;
  readonly batch: Batcher;
}

/** The parts of a pipeline, made and handed in by `service/`. */
export interface PipelineParts extends DecodeOptions, DeriveOptions {
  readonly source: Source;
  readonly codec: BlockDecoder & BlockPreparer;
  readonly states: PipelineStates;
  readonly barriers: BarrierOptions;
  readonly batching: BatchOptions;
  readonly trainer: BatchLearner;
  /** Called when a barrier has passed all that rejects records: what is rejected from now on lies behind it. */
  readonly onBarrier?: () => void;
  /** Called with rows before they are normalized; their features are written over afterwards. */
  readonly onRows?: (rows: RowBlock) => void;
  /** Makes what the barrier describes durable; the stream waits for it. */
  readonly saveCheckpoint: (barrier: Barrier) => Promise<void>;
  /** Aborts when no further block shall be learned; the source is closed by whoever aborts it. */
  readonly stopping?: AbortSignal;
  /** Virtual time in tests. */
  readonly scheduler?: SchedulerLike;
}

/** The whole dataflow: blocks of records in, batches learned out. Subscribing starts it; errors are fatal. */
export function pipeline(parts: PipelineParts): Observable<Batch> {
  const { source, states, telemetry, scheduler, stopping = new AbortController().signal } = parts;
  const inFlight = new InFlight();
  const ready = source.blocks.pipe(admit(inFlight, stopping), prepare(parts.codec, stopping));
  const rows = ready.pipe(
    barriers(parts.barriers, scheduler),
    tap(() => {
      inFlight.enter();
    }),
    decode(states.decode, parts),
    derive(states.derive, parts),
  );
  return rows.pipe(
    tap((block) => parts.onRows?.(block)),
    sample(states.trial),
    normalize(states.normalize, telemetry),
    tap(({ barrier }) => {
      inFlight.leave();
      if (barrier !== null) parts.onBarrier?.();
    }),
    batch(states.batch, parts.batching, scheduler),
    tap(() => {
      inFlight.enter();
    }),
    learn(parts.trainer, parts.saveCheckpoint),
    tap(() => {
      inFlight.leave();
    }),
  );
}
