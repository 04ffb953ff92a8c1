import { from, lastValueFrom, tap, toArray, type OperatorFunction } from 'rxjs';
import { featurePlan } from '../src/service/feature-plan.ts';
import { makeCodec } from '../src/service/input.ts';
import type { RowCodec } from '../src/codecs/row-codec.ts';
import { DecodeState, decode, type DecodeOptions, type OnReject } from '../src/operators/decode.ts';
import { derive, type DeriveOptions } from '../src/operators/derive.ts';
import { fieldPlanOf } from '../src/operators/feature-plan.ts';
import { FeatureState } from '../src/operators/feature-state.ts';
import { normalize } from '../src/operators/normalize.ts';
import { prepare } from '../src/operators/prepare.ts';
import { RunningMoments } from '../src/operators/running-moments.ts';
import type { DecodedBlock, Passage, RecordBlock, RowBlock, ScaledBlock } from '../src/records.ts';
import { maxBlockRecords } from '../src/sources/source.ts';
import { silentTelemetry } from '../src/telemetry.ts';
import { recordBlock } from '../test/support/blocks.ts';
import type { Run } from './measure.ts';
import { timed } from './measure.ts';
import type { StageInput } from './stages.ts';
import { distinctReadings, encodedReadings, jobConfig } from './workload.ts';

type Format = Parameters<typeof encodedReadings>[0];

/** Every record of the bench is good; one that is not would make the figures wrong. */
export const refuseRejects: OnReject = (_block, recordIndex, reason, detail) => {
  throw new Error(`record ${recordIndex} was rejected: ${reason}: ${detail}`);
};

/** The operators' options for the job of the bench. */
export async function jobOptions(
  input: StageInput,
  format: Format = 'avro',
): Promise<DecodeOptions & DeriveOptions & { readonly codec: RowCodec }> {
  const config = jobConfig(input, undefined, format);
  const plan = await featurePlan(config, () => Promise.resolve([]));
  const codec = await makeCodec(config, fieldPlanOf(plan), true, silentTelemetry);
  return { plan, codec, onReject: refuseRejects, telemetry: silentTelemetry };
}

/** The different readings as blocks of records. */
export function recordBlocks(format: Format, input: StageInput): readonly RecordBlock[] {
  const values = encodedReadings(format, input);
  return Array.from({ length: Math.ceil(values.length / maxBlockRecords) }, (_, index) => {
    const firstOffset = index * maxBlockRecords;
    return recordBlock(values.slice(firstOffset, firstOffset + maxBlockRecords), { firstOffset });
  });
}

export async function decodedBlocks(input: StageInput): Promise<readonly DecodedBlock[]> {
  const options = await jobOptions(input);
  const prepared = prepare(options.codec, new AbortController().signal);
  const blocks = await through(
    await through(recordBlocks('avro', input), prepared),
    decode(new DecodeState(), options),
  );
  // Read many times, so never given back.
  return blocks.map((block) => ({ ...block, recycle: () => undefined }));
}

export async function rowBlocks(input: StageInput): Promise<readonly RowBlock[]> {
  const options = await jobOptions(input);
  return through(await decodedBlocks(input), derive(new FeatureState(options.plan), options));
}

export async function scaledBlocks(input: StageInput): Promise<readonly ScaledBlock[]> {
  return through(await rowBlocks(input), normalize(freshMoments(), silentTelemetry));
}

/** Moments of the 8 features of the job. */
export function freshMoments(): RunningMoments {
  return new RunningMoments(Array<boolean>(8).fill(true), 1_000_000);
}

/**
 * Times an operator over blocks of all different readings, `passes` times in a row (once where the bench is short). What
 * comes out is given back, as the end of the pipeline does.
 */
export function timedPasses<In, Out extends Passage>(
  input: StageInput,
  blocks: readonly In[],
  passesOfLong: number,
  operator: OperatorFunction<In, Out>,
): Promise<Run> {
  const passes = input.isShort ? 1 : passesOfLong;
  return timed(passes * distinctReadings(input), () => {
    const released = tap<Out>((block) => {
      block.release();
    });
    return lastValueFrom(from(repeated(blocks, passes)).pipe(operator, released));
  });
}

function through<In, Out>(blocks: readonly In[], operator: OperatorFunction<In, Out>): Promise<readonly Out[]> {
  return lastValueFrom(from(blocks).pipe(operator, toArray()));
}

function* repeated<T>(blocks: readonly T[], passes: number): Generator<T> {
  for (let pass = 0; pass < passes; pass += 1) yield* blocks;
}
