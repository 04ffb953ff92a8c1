import { normalize } from '../../src/operators/normalize.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { freshMoments, rowBlocks, timedPasses } from '../blocks.ts';
import { measure } from '../measure.ts';
import type { Stage } from '../stages.ts';

/** Learns and standardizes 8 features row by row. */
export const normalizeRows: Stage = async (input) => {
  const blocks = await rowBlocks(input);
  const once = () => timedPasses(input, blocks, 60, normalize(freshMoments(), silentTelemetry));
  return [await measure('normalize', input.repetition, once)];
};
