import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A pipeline that serves while it learns. */
export interface LearningPipeline {
  readonly port: number;
  readonly process: ChildProcess;
  /** Rows that its model has learned. */
  trained(): Promise<number>;
  /** Also ends what produces its records. */
  stop(): Promise<void>;
}

/** One row to be predicted. */
export const reading = JSON.stringify({
  sensorId: 'sensor-0001',
  temperature: 20,
  load: 0.5,
  vibration: 1,
  site: 'north',
});

const millrace = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));

export interface LearningOptions {
  /** Directory of a log that `makeLog` made. */
  readonly log: string;
  /** Directory for its state. */
  readonly state: string;
  readonly checkpointEvery: string;
  /** Records that come to the log each second. */
  readonly arriving: number;
}

/** Makes a log of so many records. */
export async function makeLog(log: string, count: number): Promise<void> {
  await promisify(execFile)(process.execPath, produceArguments(log, count, []));
}

/** Starts one; resolves when it predicts. */
export async function startLearning(options: LearningOptions): Promise<LearningPipeline> {
  const { log, arriving } = options;
  const more = produceArguments(log, 1_000_000_000, ['--rate', String(arriving)]);
  const producer = arriving === 0 ? null : spawn(process.execPath, more, { stdio: 'ignore' });
  const config = `${log}.yaml`;
  writeFileSync(config, JSON.stringify(configOf(options)));
  const service = spawn(process.execPath, [millrace, 'run', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = async (): Promise<void> => {
    producer?.kill();
    if (service.exitCode === null && service.kill()) await once(service, 'exit');
  };
  try {
    const url = await urlOf(service.stderr);
    await firstVersion(url);
    return { port: Number(new URL(url).port), process: service, trained: () => trained(url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function produceArguments(log: string, count: number, more: readonly string[]): string[] {
  const what = ['--simulate', '100', '--count', String(count), '--seed', '5'];
  return [millrace, 'produce', '--log', log, '--topic', 'readings', ...what, ...more];
}

function configOf({ log, state, checkpointEvery }: LearningOptions): object {
  return {
    name: 'serving',
    source: { log: { dir: log, topic: 'readings' } },
    decode: { avro: { schemaFile: join(log, 'readings.avsc') } },
    key: 'sensorId',
    time: 'measuredAt',
    features: {
      temperature: {},
      load: {},
      vibration: {},
      site: { as: 'oneHot', max: 4 },
      powerBefore: { field: 'power', as: 'lag', rows: 1 },
    },
    target: 'power',
    batch: { rows: 256, maxDelay: '50ms' },
    models: { main: { mlp: { hidden: [64, 64] } } },
    checkpoint: { dir: state, every: checkpointEvery },
    http: { port: 0 },
  };
}

function urlOf(stderr: NodeJS.ReadableStream): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    // Read to the end, or the pipeline would have to wait for room.
    stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = /live page at (http:\/\/[^ ,]+),/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    stderr.on('end', () => {
      reject(new Error(`the pipeline ended; it said:\n${said}`));
    });
  });
}

async function firstVersion(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  while ((await fetch(`${url}/v1/predict`, { method: 'POST', headers, body: reading })).status === 503)
    await sleep(100);
}

async function trained(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^millrace_records_total\{[^}]*outcome="trained"[^}]*\} (\S+)$/m.exec(text)?.[1]);
}
