import { concatMap, type MonoTypeOperatorFunction } from 'rxjs';
import type { Barrier, Batch } from '../records.ts';

/** What `learn` needs of a trainer. */
export interface BatchLearner {
  /** Resolves when the batch may be given back. */
  observe(batch: Batch): Promise<void>;
}

/**
 * Hands batches to the trainer one after the other, and each barrier to `onBarrier`, which makes what it describes durable
 * while the stream waits. A batch comes out when it was handed over and released: only its counts may be looked at then.
 */
export function learn(
  trainer: BatchLearner,
  onBarrier: (barrier: Barrier) => Promise<void> = () => Promise.resolve(),
): MonoTypeOperatorFunction<Batch> {
  return concatMap(async (batch: Batch): Promise<Batch> => {
    if (batch.rowCount > 0) await trainer.observe(batch);
    batch.release();
    if (batch.barrier !== null) await onBarrier(batch.barrier);
    return batch;
  });
}
