import assert from 'node:assert/strict';
import { lastValueFrom } from 'rxjs';
import type { Config } from '../src/config/config.ts';
import { metricsTelemetry } from '../src/metrics/metrics-telemetry.ts';
import { pipeline } from '../src/pipeline.ts';
import { Progress } from '../src/progress.ts';
import { tellAll } from '../src/telemetry.ts';
import { assembleJob } from './assemble-job.ts';
import { startClock, type Measurement, type Repetition, type Run } from './measure.ts';

/**
 * Runs the chain of `run` with its worker and its metrics over a bounded topic, and measures it segment by segment, each of
 * so many learned rows: first some to warm up, then those that count. Nothing is saved or served, which a run does every 30 s
 * or when asked. The topic must hold all segments; what it holds beyond them is not learned.
 */
export async function learnSegments(
  subject: string,
  config: Config,
  segmentRows: number,
  { warmUps, runs }: Repetition,
): Promise<Measurement> {
  const progress = new Progress();
  const telemetry = tellAll([progress, metricsTelemetry(progress)]);
  const stopping = new AbortController();
  const assembly = await assembleJob(config, true, telemetry);
  const { trainer, source } = assembly;
  const segments: Run[] = [];
  let segmentStart = 0;
  let clock = startClock();
  const learnedAll = new Promise<void>((resolve) => {
    trainer.onReport((report) => {
      telemetry.emit({ type: 'batchObserved', report });
      const { trained } = report.outcomes;
      if (trained - segmentStart < segmentRows || segments.length === warmUps + runs) return;
      segments.push(clock(trained - segmentStart));
      segmentStart = trained;
      clock = startClock();
      if (segments.length === warmUps + runs) resolve();
    });
  });
  const batches = pipeline({ ...assembly, saveCheckpoint: () => Promise.resolve(), stopping: stopping.signal });
  const reading = lastValueFrom(batches).then(() => trainer.snapshot());
  await Promise.race([learnedAll, reading, trainer.failed]);
  stopping.abort();
  await source.close();
  await reading;
  await trainer.close();
  assert.equal(segments.length, warmUps + runs, 'the topic ended before the last segment');
  return { subject, runs: segments.slice(warmUps), note: trainer.backend.name };
}
