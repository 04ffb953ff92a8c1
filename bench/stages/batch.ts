import { batch } from '../../src/operators/batch.ts';
import { Batcher } from '../../src/operators/batcher.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { scaledBlocks, timedPasses } from '../blocks.ts';
import { measure } from '../measure.ts';
import type { Stage } from '../stages.ts';

const options = { maxDelayMs: null, featureCount: 8, telemetry: silentTelemetry };

/** Blocks to batches of 256 rows. */
export const batchRows: Stage = async (input) => {
  const blocks = await scaledBlocks(input);
  const once = () => timedPasses(input, blocks, 120, batch(new Batcher(256, options.featureCount), options));
  return [await measure('batch', input.repetition, once)];
};
