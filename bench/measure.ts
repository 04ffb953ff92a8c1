import { existsSync, readFileSync } from 'node:fs';

/** What one run did and what it cost. */
export interface Run {
  readonly rows: number;
  readonly seconds: number;
  /** Of all threads of the process. */
  readonly cpuSeconds: number;
  /** The most memory that the process ever held, up to the end of the run. */
  readonly peakRssBytes: number;
  /** How old records were when they were learned, in a live run: quantiles over all of them, ms. */
  readonly ageMs?: { readonly p50: number; readonly p99: number };
}

/** All runs of one subject of the bench. */
export interface Measurement {
  readonly subject: string;
  readonly runs: readonly Run[];
  /** What the figures depend on besides the code: the backend. */
  readonly note: string | null;
}

/** How often to run: first unmeasured, so that code is compiled and caches are warm, then measured. */
export interface Repetition {
  readonly warmUps: number;
  readonly runs: number;
}

/** Runs `once` again and again and keeps what the runs after the warm-up say. */
export async function measure(
  subject: string,
  { warmUps, runs }: Repetition,
  once: () => Promise<Run>,
  note: string | null = null,
): Promise<Measurement> {
  for (let warmUp = 0; warmUp < warmUps; warmUp += 1) await once();
  const measured: Run[] = [];
  while (measured.length < runs) measured.push(await once());
  return { subject, runs: measured, note };
}

/** Starts a clock of wall and CPU time; what it returns reads it. */
export function startClock(): (rows: number) => Run {
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  return (rows) => {
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      rows,
      seconds: (performance.now() - startedMs) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakRssBytes: peakRssBytes(),
    };
  };
}

/** The most memory that this program ever held; elsewhere than on Linux that of the process that it was forked from counts too. */
function peakRssBytes(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? process.resourceUsage().maxRSS) * 1024;
}

/** Times work on so many rows. */
export async function timed(rows: number, work: () => unknown): Promise<Run> {
  const clock = startClock();
  await work();
  return clock(rows);
}

/** The middle value, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/** The smallest value that the share `q` of all values does not exceed; NaN of none. */
export function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}
