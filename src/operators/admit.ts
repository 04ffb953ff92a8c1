import { concatMap, EMPTY, from, mergeMap, of, type MonoTypeOperatorFunction } from 'rxjs';
import type { RecordBlock } from '../records.ts';

/** Counts what has entered a stretch of the stream and not left it. */
export class InFlight {
  #count = 0;
  #waiting: (() => void)[] = [];

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }

  /** Resolves when nothing is in flight. */
  async none(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/**
 * Lets a block pass when nothing before it is in flight any more, so that what piles up in front of a slow trainer are raw
 * blocks, which credit bounds. Once `stopping` aborts none passes: what waits here has touched no state and no position, so
 * a stop need not learn it.
 */
export function admit(inFlight: Pick<InFlight, 'none'>, stopping: AbortSignal): MonoTypeOperatorFunction<RecordBlock> {
  return concatMap((block) =>
    from(inFlight.none()).pipe(
      mergeMap(() => {
        if (!stopping.aborted) return of(block);
        block.release();
        return EMPTY;
      }),
    ),
  );
}
