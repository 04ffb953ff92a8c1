import assert from 'node:assert/strict';
import { lastValueFrom, tap } from 'rxjs';
import { makeSource } from '../src/service/input.ts';
import type { Config } from '../src/config/config.ts';
import { Credit } from '../src/sources/credit.ts';
import type { Run } from './measure.ts';
import { JoinClock } from './join-clock.ts';

/** Reads a source alone from start to end, each block given back at once. */
export async function readSource(config: Config, count: number): Promise<Run> {
  const clock = new JoinClock();
  const credit = new Credit(config.limits.creditBytes);
  const source = await makeSource(config, { isBounded: true, positions: [] }, credit, clock);
  let records = 0;
  const blocks = source.blocks.pipe(
    tap((block) => {
      records += block.recordCount;
      block.release();
    }),
  );
  await lastValueFrom(blocks);
  const run = clock.read(records);
  await source.close();
  assert.equal(records, count, 'the source gave another number of records than its topic holds');
  return run;
}
