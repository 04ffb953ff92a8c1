import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { asyncScheduler, ignoreElements, Observable, tap } from 'rxjs';
import type { Position, RecordBlock } from '../records.ts';
import { markBlock, partitionName } from '../records.ts';
import { sliceBlock } from './slice-block.ts';

/** Where barriers start, and how often they come. */
export interface BarrierOptions {
  /** Where the source starts: the positions of the checkpoint. */
  readonly positions: readonly Position[];
  /** Time between barriers, ms; null where time asks for none. */
  readonly everyMs: number | null;
  /** Records between barriers; null where their number asks for none. Blocks are cut so that it is exact. */
  readonly everyRecords: number | null;
}

/**
 * Puts barriers into the stream: by time (where anything passed since the last one), after every `everyRecords` records,
 * and one behind everything when the source completes. Each says how far every partition has passed.
 */
export function barriers(
  options: BarrierOptions,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<RecordBlock> {
  const { everyMs, everyRecords } = options;
  return (blocks) =>
    new Observable<RecordBlock>((subscriber) => {
      const positions = new Map(options.positions.map((position) => [partitionName(position), position]));
      let recordsSince = 0;
      let hasPassed = false;
      const putBarrier = (): void => {
        recordsSince = 0;
        hasPassed = false;
        subscriber.next(markBlock({ barrier: { positions: [...positions.values()], parts: new Map() } }));
      };
      const pass = (block: RecordBlock): void => {
        const { topic, partition, nextOffset, epoch, recordCount } = block;
        // An end-of-input mark belongs to no partition.
        if (nextOffset >= 0) positions.set(partitionName(block), { topic, partition, nextOffset, epoch });
        recordsSince += recordCount;
        hasPassed = true;
        subscriber.next(block);
        if (everyRecords !== null && recordsSince >= everyRecords) putBarrier();
      };
      const passInParts = (block: RecordBlock): void => {
        if (everyRecords === null) {
          pass(block);
          return;
        }
        let rest = block;
        while (rest.recordCount > everyRecords - recordsSince) {
          const count = everyRecords - recordsSince;
          pass(sliceBlock(rest, 0, count));
          rest = sliceBlock(rest, count, rest.recordCount);
        }
        pass(rest);
      };

      if (everyMs !== null) {
        subscriber.add(
          scheduler.schedule(function tick() {
            if (hasPassed) putBarrier();
            this.schedule(undefined, everyMs);
          }, everyMs),
        );
      }
      blocks.pipe(tap({ next: passInParts, complete: putBarrier }), ignoreElements()).subscribe(subscriber);
    });
}
