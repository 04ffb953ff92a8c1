import { pipe, tap } from 'rxjs';
import { DecodeState, decode } from '../../src/operators/decode.ts';
import type { DecodedBlock } from '../../src/records.ts';
import { jobOptions, recordBlocks, timedPasses } from '../blocks.ts';
import { measure, type Measurement } from '../measure.ts';
import type { Stage } from '../stages.ts';

/** Records to columns: 8 of 10 fields, in each format. */
export const decodeFormats: Stage = async (input) => {
  const measurements: Measurement[] = [];
  for (const format of ['avro', 'json', 'csv'] as const) {
    const options = await jobOptions(input, format);
    const blocks = recordBlocks(format, input);
    // The schema is loaded before, so that no run has to wait for it.
    await options.codec.prepare(blocks[0]!, new AbortController().signal);
    measurements.push(
      await measure(`decode.${format}`, input.repetition, () =>
        timedPasses(input, blocks, passesOf[format], pipe(decode(new DecodeState(), options), recycled)),
      ),
    );
  }
  return measurements;
};

/** Gives the columns back, as `derive` does. */
const recycled = tap((block: DecodedBlock) => {
  block.recycle?.();
});

/** About a second a run. */
const passesOf = { avro: 200, json: 6, csv: 3 };
