import type { MonoTypeOperatorFunction } from 'rxjs';
import { catchError, concatMap, defer, finalize, from, map, queueScheduler, scheduled, type Observable } from 'rxjs';
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
      const giveBack = (block: RecordBlock): Observable<RecordBlock> => {
        block.release();
        return inTurn([]);
      };
      return blocks.pipe(
        concatMap((block) => {
          if (stopping.aborted) return giveBack(block);
          const loading = codec.prepare(block, signal);
          if (loading === null) return inTurn([block]);
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

/** At once, but not within the block before: thousands of small ones that have waited for a schema would overflow the stack. */
function inTurn(blocks: readonly RecordBlock[]): Observable<RecordBlock> {
  return scheduled(blocks, queueScheduler);
}
