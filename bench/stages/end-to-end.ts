import assert from 'node:assert/strict';
import { lastValueFrom } from 'rxjs';
import type { Config } from '../../src/config/config.ts';
import { metricsTelemetry } from '../../src/metrics/metrics-telemetry.ts';
import { pipeline } from '../../src/pipeline.ts';
import { Progress } from '../../src/progress.ts';
import { tellAll, type Telemetry } from '../../src/telemetry.ts';
import { assembleJob } from '../assemble-job.ts';
import { JoinClock } from '../join-clock.ts';
import { measure, type Measurement, type Run } from '../measure.ts';
import type { Stage, StageInput } from '../stages.ts';
import { jobConfig, sourceOf, topicRecords, topics } from '../workload.ts';

/** From the embedded log to learned, all of it. */
export const endToEndLog: Stage = (input) => endToEnd('log', input);

/** From Kafka to learned. */
export const endToEndKafka: Stage = (input) => endToEnd('kafka', input);

async function endToEnd(kind: 'log' | 'kafka', input: StageInput): ReturnType<Stage> {
  const measurements: Measurement[] = [];
  for (const [subject, backend] of [
    [`endToEnd.${kind}`, 'auto'],
    [`endToEnd.${kind}.wasm`, 'wasm'],
  ] as const) {
    const config = jobConfig(input, sourceOf(kind, topics.short, input), 'avro', { backend });
    const progress = new Progress();
    const watchers = [progress, metricsTelemetry(progress)];
    let note = '';
    const once = async (): Promise<Run> => {
      const { run, backendName } = await learnAll(config, watchers, topicRecords(input).short);
      note = backendName;
      return run;
    };
    measurements.push({ ...(await measure(subject, input.repetition, once)), note });
  }
  return measurements;
}

/**
 * The chain of `run` with its worker and its metrics, until the last row is learned; nothing is saved or served, which
 * a run does every 30 s or when asked.
 */
async function learnAll(config: Config, watchers: readonly Telemetry[], count: number) {
  const clock = new JoinClock();
  const telemetry = tellAll([clock, ...watchers]);
  const assembly = await assembleJob(config, true, telemetry);
  const { trainer, source } = assembly;
  let trained = 0;
  trainer.onReport((report) => {
    trained = report.outcomes.trained;
    telemetry.emit({ type: 'batchObserved', report });
  });
  const batches = pipeline({ ...assembly, saveCheckpoint: () => Promise.resolve() });
  await Promise.race([lastValueFrom(batches), trainer.failed]);
  // Comes back when all that is in the ring is learned.
  await trainer.snapshot();
  const run = clock.read(trained);
  await source.close();
  await trainer.close();
  assert.equal(trained, count, 'not every record of the topic was learned');
  return { run, backendName: trainer.backend.name };
}
