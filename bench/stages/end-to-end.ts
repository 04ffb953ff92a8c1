import { learnSegments } from '../learn-segments.ts';
import type { Measurement } from '../measure.ts';
import type { Stage, StageInput } from '../stages.ts';
import { jobConfig, sourceOf, topics } from '../workload.ts';

interface Job {
  readonly suffix: string;
  readonly backend: 'auto' | 'wasm';
  readonly batchRows: number;
  /** Rows of a segment: about half a second's worth. */
  readonly segmentRows: number;
}

/** Segments until all code is compiled, which a process that runs for months does once. */
const steadyAfter = 3;

const usual: Job = { suffix: '', backend: 'auto', batchRows: 256, segmentRows: 200_000 };
const largeBatches: Job = { suffix: '.4096', backend: 'auto', batchRows: 4096, segmentRows: 240_000 };
const wasm: Job = { suffix: '.wasm', backend: 'wasm', batchRows: 256, segmentRows: 50_000 };

/** From the embedded log to learned, all of it. */
export const endToEndLog: Stage = (input) => endToEnd('log', [usual, wasm], input);

/** From Kafka to learned. */
export const endToEndKafka: Stage = (input) => endToEnd('kafka', [usual, largeBatches, wasm], input);

async function endToEnd(kind: 'log' | 'kafka', jobs: readonly Job[], input: StageInput): ReturnType<Stage> {
  const measurements: Measurement[] = [];
  for (const { suffix, backend, batchRows, segmentRows } of jobs) {
    const config = jobConfig(input, sourceOf(kind, topics.long, input), 'avro', {
      backend,
      batch: { rows: batchRows },
    });
    const rows = input.isShort ? 2 * batchRows : segmentRows;
    const { isShort, repetition } = input;
    const whole = isShort ? repetition : { ...repetition, warmUps: steadyAfter };
    measurements.push(await learnSegments(`endToEnd.${kind}${suffix}`, config, rows, whole));
  }
  return measurements;
}
