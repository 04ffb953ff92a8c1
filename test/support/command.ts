import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pythonWithPackages } from './requirements.ts';

/** The root of the checkout: examples name their files from here. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
const sourceProgram = join(projectRoot, 'bin/millrace.js');

export interface CommandOptions {
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** By default the root of the checkout. */
  readonly cwd?: string;
  /** `bin/millrace.js`, by default that of the checkout. */
  readonly program?: string;
  /** A command that takes longer is killed, and `ended` rejects. */
  readonly limitMs?: number;
}

/** How a command ended. */
export interface CommandResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  readonly pid: number;
  readonly ended: Promise<CommandResult>;
  isRunning(): boolean;
  /** What it printed so far. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal; nothing happens to a command that has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the match once the command has said it on stderr; rejects where it ends first. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

const defaultLimitMs = 120_000;
const pollMs = 2;

/** Starts `millrace ARGS` as a process of its own, which does not outlive the tests. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  return startProcess(process.execPath, [options.program ?? sourceProgram, ...args], options);
}

/** Runs `millrace ARGS` to its end. */
export function runCommand(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return startCommand(args, options).ended;
}

/** Runs `millrace ARGS` and returns the one document it printed; every other ending fails the test. */
export async function runForDocument(args: readonly string[], options?: CommandOptions): Promise<unknown> {
  return documentOf(await runCommand(args, options));
}

/** The one JSON document on stdout of a command that ended well. */
export function documentOf({ code, stdout, stderr }: CommandResult): unknown {
  assert.equal(code, 0, `exit code ${code}; it said:\n${stderr}`);
  assert.match(stdout, /^[^\n]+\n$/, 'one line on stdout');
  return JSON.parse(stdout);
}

/** Runs one of the scripts in `test/support/python`, an independent judge, and returns the document it printed. */
export function runPython(script: string, args: readonly string[], options?: CommandOptions): Promise<unknown> {
  return runScript('python3', script, args, options);
}

/** The same in the Python of the requirement `python-packages`. */
export function runPythonWithPackages(script: string, args: readonly string[]): Promise<unknown> {
  return runScript(pythonWithPackages, script, args);
}

async function runScript(
  python: string,
  script: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<unknown> {
  const file = fileURLToPath(new URL(`./python/${script}`, import.meta.url));
  // -B: no byte code beside the scripts.
  return documentOf(await startProcess(python, ['-B', file, ...args], options).ended);
}

/** Starts any command. */
export function startProcess(file: string, args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { limitMs = defaultLimitMs, cwd = projectRoot } = options;
  const child = spawn(file, args, { cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<CommandResult>((resolve, reject) => {
    const timer = setTimeout(() => {
      kill();
      reject(new Error(`not ended after ${limitMs} ms: ${args.join(' ')}; it said:\n${output.stderr}`));
    }, limitMs);
    child.once('error', reject).once('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve({ code, signal, ...output });
    });
  });
  // Whoever waits for the end hears of it; a test that failed before must not fail twice.
  ended.catch(() => undefined);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? -1,
    ended,
    isRunning,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    kill: (signal) => void child.kill(signal),
    says: async (pattern) => {
      for (;;) {
        const match = pattern.exec(output.stderr);
        if (match !== null) return match;
        assert.ok(isRunning(), `ended before it said ${pattern}:\n${output.stderr}${output.stdout}`);
        await sleep(pollMs);
      }
    },
  };
}

/** Asks `isSo` every two milliseconds until it says true; fails after `limitMs`. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, limitMs = 60_000): Promise<void> {
  const givesUpAt = performance.now() + limitMs;
  while (!(await isSo())) {
    assert.ok(performance.now() < givesUpAt, `not so after ${limitMs} ms: ${what}`);
    await sleep(pollMs);
  }
}

/** A test, or a suite by its hook. */
export interface Cleanup {
  after(tidy: () => void): void;
}

/** A directory that goes with the test. */
export function temporaryDirectory(t: Cleanup): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  t.after(() => {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  return dir;
}

/** The same with the examples in it, as in a checkout: what they write lies in it too. */
export function checkoutDirectory(t: Cleanup): string {
  const dir = temporaryDirectory(t);
  symlinkSync(join(projectRoot, 'examples'), join(dir, 'examples'));
  return dir;
}

/** Copies the checkout to a directory that does not exist yet, as a clone has it: nothing is built, installed or learned. */
export function cloneCheckout(dir: string): void {
  const notInAClone = ['node_modules', '.git', '.millrace', 'dist'].map((name) => join(projectRoot, name));
  cpSync(projectRoot, dir, { recursive: true, filter: (path) => !notInAClone.includes(path) });
}
