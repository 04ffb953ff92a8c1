import { execFile, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from '../measure.ts';
import { tableLine } from '../table.ts';
import { reading, type LearningPipeline } from './learning-pipeline.ts';
import type { Load } from './load-client.ts';

/** How the client asks. */
export interface Asking {
  /** Predictions a second. */
  readonly rate: number;
  /** That count; some before them do not. */
  readonly seconds: number;
  readonly connections: number;
}

/** What a round tells of a server, and of the pipeline meanwhile. */
export interface Asked<Told> {
  readonly load: Told;
  /** Of the server, all threads, in cores. */
  readonly cpu: number;
  /** Records a second that the pipeline learned. */
  readonly learned: number;
}

const figures = {
  answered: { unit: '1/s', of: ({ load }) => load.perSecond },
  failed: { unit: 'requests', of: ({ load }) => load.failed },
  p50: { unit: 'ms', of: ({ load }) => load.p50Ms },
  p99: { unit: 'ms', of: ({ load }) => load.p99Ms },
  max: { unit: 'ms', of: ({ load }) => load.maxMs },
  cpu: { unit: 'cores', of: ({ cpu }) => cpu },
  clientCpu: { unit: 'CPU-s', of: ({ load }) => load.cpuSeconds },
  learned: { unit: 'records/s', of: ({ learned }) => learned },
} as const satisfies Record<string, { readonly unit: string; of(asked: Asked<Load>): number }>;

/** Asks for a row a request, from a process of its own. */
export function ask(port: number, { rate, seconds, connections }: Asking): Promise<Load> {
  return told('load-client.ts', port, rate, seconds, connections, reading);
}

/** The document that a script of this folder prints. */
export async function told<Document>(script: string, ...args: readonly (string | number)[]): Promise<Document> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path, ...args.map(String)]);
  return JSON.parse(stdout) as Document;
}

/** What `work` tells, what the pipeline learns during it, and the CPU that `server` takes. */
export async function during<Told>(
  pipeline: LearningPipeline,
  server: ChildProcess,
  work: () => Promise<Told>,
): Promise<Asked<Told>> {
  const startMs = performance.now();
  const before = { trained: await pipeline.trained(), cpu: cpuSeconds(server) };
  const load = await work();
  const seconds = (performance.now() - startMs) / 1000;
  const learned = ((await pipeline.trained()) - before.trained) / seconds;
  return { load, cpu: (cpuSeconds(server) - before.cpu) / seconds, learned };
}

/** A line for each figure: its median over the rounds, and their least and most. */
export function tellAsked(name: string, rounds: readonly Asked<Load>[]): void {
  for (const [figure, { unit, of }] of Object.entries(figures)) tell(`${name}.${figure}`, unit, rounds.map(of));
}

export function tell(name: string, unit: string, runs: readonly number[]): void {
  console.log(tableLine({ name, value: median(runs), unit, runs, better: 'lower', against: null, note: null }));
}

/** Of all threads, from Linux's own account in hundredths of a second. */
function cpuSeconds({ pid }: ChildProcess): number {
  const [, fields = ''] = readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8').split(') ');
  const [user = NaN, system = NaN] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) / 100;
}
