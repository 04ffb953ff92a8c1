import { derive } from '../../src/operators/derive.ts';
import { FeatureState } from '../../src/operators/feature-state.ts';
import { decodedBlocks, jobOptions, timedPasses } from '../blocks.ts';
import { measure } from '../measure.ts';
import type { Stage } from '../stages.ts';

/** Columns to 8 features, 3 of them lags by sensor. */
export const deriveRows: Stage = async (input) => {
  const blocks = await decodedBlocks(input);
  const options = await jobOptions(input);
  const once = () => timedPasses(input, blocks, 30, derive(new FeatureState(options.plan), options));
  return [await measure('derive', input.repetition, once)];
};
