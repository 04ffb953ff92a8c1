import type { OperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { asyncScheduler, ignoreElements, Observable, tap } from 'rxjs';
import type { Batch, Passage, ScaledBlock } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Batcher } from './batcher.ts';
import { emptyBatch } from './batcher.ts';

/** When a partial batch is sealed, and who is told. */
export interface BatchOptions {
  /** From the first row of a partial batch until it is sealed, ms; null: only full ones and the end of input are. */
  readonly maxDelayMs: number | null;
  readonly featureCount: number;
  readonly telemetry: Telemetry;
}

/**
 * Groups rows into batches, sealed when full, `maxDelayMs` after their first row, or by the end of bounded input, never by
 * how a fetch was cut. A barrier seals nothing: it takes the partial rows along as the part `batch`. Marks go on as empty
 * batches, in order. When the source completes or fails, a partial batch stays in the state.
 */
export function batch(
  state: Batcher,
  options: BatchOptions,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<ScaledBlock, Batch> {
  const { maxDelayMs, featureCount, telemetry } = options;
  return (blocks) =>
    new Observable<Batch>((subscriber) => {
      let delay: Subscription | undefined;
      const stopDelay = (): void => {
        delay?.unsubscribe();
        delay = undefined;
      };
      const emit = (sealed: Batch, cause: 'rows' | 'delay' | 'end'): void => {
        telemetry.emit({ type: 'batchSealed', rows: sealed.rowCount, cause });
        subscriber.next(sealed);
      };
      const sealPartial = (cause: 'delay' | 'end'): void => {
        stopDelay();
        const partial = state.seal();
        if (partial !== null) emit(partial, cause);
      };
      const emitFull = (): void => {
        const full = state.takeFull();
        // The first row of a partial batch that began just now starts its own delay.
        if (full.length > 0) stopDelay();
        for (const sealed of full) emit(sealed, 'rows');
        if (maxDelayMs === null || state.rowCount === 0) return;
        delay ??= scheduler.schedule(() => {
          sealPartial('delay');
        }, maxDelayMs);
      };
      const passMark = (mark: Passage): void => {
        if (mark.isEndOfInput) sealPartial('end');
        mark.barrier?.parts.set('batch', state.snapshot());
        const { barrier, isEndOfInput } = mark;
        subscriber.next({ ...emptyBatch(featureCount), barrier, isEndOfInput });
      };

      emitFull();
      subscriber.add(stopDelay);
      const take = (block: ScaledBlock): void => {
        state.push(block);
        emitFull();
        if (block.barrier !== null || block.isEndOfInput) passMark(block);
      };
      blocks.pipe(tap(take), ignoreElements()).subscribe(subscriber);
    });
}
