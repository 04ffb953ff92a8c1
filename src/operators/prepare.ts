import type { MonoTypeOperatorFunction } from 'rxjs';
import { catchError, concatMap, defer, EMPTY, finalize, from, map, of } from 'rxjs';
import type { RecordBlock } from '../records.ts';

/** What loads what a block needs to be decoded: schemas. */
export interface BlockPreparer {
  /** Null where nothing is missing. */
  prepare(block: RecordBlock, signal: AbortSignal): Promise<void> | null;
}

/**
 * Lets a block pass when the codec has all that it needs to decode it. What waits here has touched no state and no
 * position: checkpoints go on meanwhile, and once `stopping` aborts it is given back, to be read again by the next run.
 */
export function prepare(codec: BlockPreparer, stopping: AbortSignal): MonoTypeOperatorFunction<RecordBlock> {
  return (blocks) =>
    defer(() => {
      const ended = new AbortController();
      const signal = AbortSignal.any([stopping, ended.signal]);
      const giveBack = (block: RecordBlock): typeof EMPTY => {
        block.release();
        return EMPTY;
      };
      return blocks.pipe(
        concatMap((block) => {
          if (stopping.aborted) return giveBack(block);
          const loading = codec.prepare(block, signal);
          if (loading === null) return of(block);
          return from(loading).pipe(
            map(() => block),
            catchError((error: unknown) => {
              if (stopping.aborted) return giveBack(block);
              throw error;
            }),
          );
        }),
        finalize(() => {
          ended.abort();
        }),
      );
    });
}
