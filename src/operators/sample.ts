import type { MonoTypeOperatorFunction } from 'rxjs';
import { tap } from 'rxjs';
import type { RowBlock } from '../records.ts';
import type { TrialRows } from './trial-rows.ts';

/** Lets blocks pass unchanged and keeps a sample of their rows. A barrier takes it along as the part `trial`. */
export function sample(rows: TrialRows): MonoTypeOperatorFunction<RowBlock> {
  return tap((block) => {
    rows.learn(block);
    if (block.barrier === null) return;
    rows.endInterval();
    block.barrier.parts.set('trial', rows.snapshot());
  });
}
