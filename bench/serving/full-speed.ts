import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, during, tell, tellAsked, type Asked, type Asking } from './asking.ts';
import { makeLog, startLearning } from './learning-pipeline.ts';
import type { Load } from './load-client.ts';
import { warmUpSeconds } from './warm-up.ts';

/** Records that the log has for each second of a round: more than are learned. */
const recordsPerSecond = 1_500_000;

/** What serving costs where a log is learned as fast as it can be: in each round one pipeline reads it unasked, then one that is asked. */
export async function benchFullSpeed(dir: string, rounds: number, asking: Asking): Promise<void> {
  const seconds = warmUpSeconds + asking.seconds;
  const records = recordsPerSecond * seconds;
  const log = join(dir, 'log');
  await makeLog(log, records);
  const learning = async <Told>(work: (port: number) => Promise<Told>): Promise<Asked<Told>> => {
    const state = join(dir, 'state');
    const pipeline = await startLearning({ log, state, checkpointEvery: '1s', arriving: 0 });
    try {
      const asked = await during(pipeline, pipeline.process, () => work(pipeline.port));
      if ((await pipeline.trained()) >= records) throw new Error('the log was at its end before the round was');
      return asked;
    } finally {
      await pipeline.stop();
      rmSync(state, { recursive: true });
    }
  };
  const unasked: number[] = [];
  const asked: Asked<Load>[] = [];
  while (asked.length < rounds) {
    unasked.push((await learning(() => sleep(1000 * seconds))).learned);
    asked.push(await learning((port) => ask(port, asking)));
  }
  tell('millrace.unasked.learned', 'records/s', unasked);
  tellAsked('millrace', asked);
}
