import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lastValueFrom } from 'rxjs';
import { kafkaSink } from '../../src/cli/reading-sinks.ts';
import { pipeline } from '../../src/pipeline.ts';
import type { Batch } from '../../src/records.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { assembleJob } from '../assemble-job.ts';
import { measure, quantile, startClock, type Run } from '../measure.ts';
import type { Stage, StageInput } from '../stages.ts';
import { jobConfig, partitions, sourceOf } from '../workload.ts';

const ratePerSecond = 10_000;

/**
 * From produced to learned, while a producer in a process of its own sends records at a steady rate through Kafka. The
 * first two seconds, in which code is compiled, do not count.
 */
export const freshness: Stage = async (input) => {
  const seconds = input.isShort ? 1 : 5;
  const warmUpSeconds = input.isShort ? 0 : 2;
  let backend = '';
  let run = 0;
  const once = async (): Promise<Run> => {
    run += 1;
    const topic = `bench.fresh.${run}`;
    const { ages, backendName, cost } = await learnLive(topic, (seconds + warmUpSeconds) * ratePerSecond, input);
    backend = backendName;
    const sorted = Float64Array.from(ages.slice(warmUpSeconds * ratePerSecond)).sort();
    return { ...cost, ageMs: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) } };
  };
  const measured = await measure('freshness', input.repetition, once);
  return [{ ...measured, note: backend }];
};

interface LiveRun {
  /** Of each record, in the order of learning: ms from its timestamp to the report of the step that learned it. */
  readonly ages: readonly number[];
  readonly backendName: string;
  readonly cost: Run;
}

async function learnLive(topic: string, count: number, input: StageInput): Promise<LiveRun> {
  const config = jobConfig(input, sourceOf('kafka', topic, input), 'avro', {
    batch: { rows: 256, maxDelay: '50ms' },
  });
  const sink = await kafkaSink({ brokers: [input.bootstrap], topic, partitions });
  await sink.close();
  let failProduction: (error: Error) => void = () => undefined;
  const productionFailed = new Promise<never>((_resolve, reject) => {
    failProduction = reject;
  });
  let isProducing = false;
  const telemetry: Telemetry = {
    emit: ({ type }) => {
      if (type !== 'sourceJoined' || isProducing) return;
      isProducing = true;
      produce(topic, count, input).catch(failProduction);
    },
  };
  const assembly = await assembleJob(config, false, telemetry);
  const { trainer, source } = assembly;
  const ages: number[] = [];
  const waiting: Float64Array[] = [];
  const clock = startClock();
  const learnedAll = new Promise<void>((resolve) => {
    trainer.onReport(() => {
      const now = Date.now();
      for (const timestampMs of waiting.shift() ?? []) ages.push(now - timestampMs);
      if (ages.length === count) resolve();
    });
  });
  const observe = (rows: Batch): Promise<void> => {
    waiting.push(rows.timestampsMs.slice());
    return trainer.observe(rows);
  };
  const learning = lastValueFrom(
    pipeline({ ...assembly, trainer: { observe }, saveCheckpoint: () => Promise.resolve() }),
  );
  await Promise.race([learnedAll, learning, trainer.failed, productionFailed]);
  assert.equal(ages.length, count, 'not every record was learned');
  const cost = clock(count);
  await source.close();
  await trainer.close();
  return { ages, backendName: trainer.backend.name, cost };
}

/** Sends so many readings, from a process of its own. */
async function produce(topic: string, count: number, { bootstrap, schemaFile }: StageInput): Promise<void> {
  const millrace = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));
  const where = ['--brokers', bootstrap, '--topic', topic, '--schema', schemaFile];
  const what = ['--simulate', '100', '--count', String(count), '--rate', String(ratePerSecond)];
  await promisify(execFile)(process.execPath, [millrace, 'produce', ...where, ...what]);
}
