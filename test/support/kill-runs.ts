import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { listCheckpoints } from '../../src/checkpoint/checkpoint-store.ts';
import { CounterRandom } from '../../src/sensors/counter-random.ts';
import { startCommand, until, type CommandOptions } from './command.ts';
import type { Pipeline } from './fleet.ts';

export interface KillOptions {
  readonly kills: number;
  /** Decides over the moments. */
  readonly seed: number;
  /** Arguments of `run` behind the configuration. */
  readonly args?: readonly string[];
  /** How each is started. */
  readonly command?: CommandOptions;
}

/** What was found between a kill and the start behind it. */
export interface Kills {
  /** Step of the checkpoint that each start went on from, in order. */
  readonly steps: readonly number[];
  /** Kills inside the writing of a checkpoint: they left an unfinished one. */
  readonly unfinished: number;
}

const longestDelayMs = 20;
const earlyKillLimitMs = 1500;
const mostCheckpointsBetween = 3;

/**
 * Starts `run` and kills it (SIGKILL), again and again. Most kills come a random while behind a random one of the next
 * checkpoints, so that on any machine each start gets further than the last; every tenth anywhere, starting up
 * included; every fourth as soon as the writing of a checkpoint is seen to begin.
 */
export async function killRuns({ file, state }: Pipeline, options: KillOptions): Promise<Kills> {
  const random = new CounterRandom(options.seed);
  const steps: number[] = [];
  let unfinished = 0;
  for (let kill = 0; kill < options.kills; kill++) {
    const command = startCommand(['run', file, ...(options.args ?? [])], options.command);
    if (kill % 10 === 9) {
      await sleep(random.uniform(0, kill) * earlyKillLimitMs);
    } else {
      const wanted = newestNumber(state) + 1 + Math.floor(random.uniform(1, kill) * mostCheckpointsBetween);
      await until(() => newestNumber(state) >= wanted || !command.isRunning(), `checkpoint ${wanted}`);
      if (kill % 4 === 0) await until(() => draftsIn(state) > 0 || !command.isRunning(), 'a checkpoint begun');
      else await sleep(random.uniform(2, kill) * longestDelayMs);
    }
    command.kill('SIGKILL');
    const { signal, stderr } = await command.ended;
    assert.equal(signal, 'SIGKILL', `kill ${kill} came too late:\n${stderr}`);
    if (draftsIn(state) > 0) unfinished++;
    const { checkpoints } = listCheckpoints(state);
    assert.ok(
      checkpoints.every(({ isIntact }) => isIntact),
      'a kill damages no checkpoint',
    );
    steps.push(checkpoints[0]?.manifest?.step ?? 0);
  }
  return { steps, unfinished };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function draftsIn(state: string): number {
  return namesIn(state).filter((name) => name.startsWith('tmp-checkpoint-')).length;
}

function newestNumber(state: string): number {
  const numbers = namesIn(state).flatMap((name) => /^checkpoint-(\d+)$/.exec(name)?.slice(1).map(Number) ?? []);
  return Math.max(0, ...numbers);
}
