import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../command.ts';
import { passagesOf, type Passage } from './fences.ts';

/** Where a tutorial is typed in. */
export interface Desk {
  /** The checkout. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Program and first arguments that start a shell where the tutorial's ports are. */
  readonly shell: readonly [string, ...string[]];
}

interface Terminal {
  readonly process: ChildProcess;
  output: string;
}

const limitMs = 180_000;
const ordinals = ['', 'first', 'second', 'third'];

/**
 * Does what a tutorial says, in order: types its blocks of `sh`, those marked `sh terminal-2` into a second terminal, where they
 * run on; writes its blocks of `yaml FILE`; makes the edits of its blocks of `diff FILE`; presses Ctrl+C where the prose says so. What its blocks of `text` show must
 * have come, but for numbers other than errors of predictions. A `curl` is typed again until it has: servers take a moment.
 */
export async function typeTutorial(file: string, desk: Desk): Promise<void> {
  const terminals = new Map<string, Terminal>();
  let shown: (() => string | Promise<string>) | null = null;
  try {
    for (const passage of passagesOf(file)) {
      const [kind, argument = ''] = passage.info?.split(' ') ?? [];
      if (kind === undefined) await pressKeys(passage, terminals);
      else if (kind === 'diff') edit(join(desk.cwd, argument), passage);
      else if (kind === 'yaml') write(desk.cwd, argument, passage);
      else if (kind === 'text') await hasShown(passage, shown);
      else if (kind !== 'yml') {
        assert.equal(kind, 'sh', `${passage.place}: what is this block?`);
        shown = argument === '' ? await typeIn(passage, desk) : await typeInto(argument, passage, desk, terminals);
      }
    }
  } finally {
    for (const { process } of terminals.values()) signal(process, 'SIGKILL');
  }
}

/** Types a block and waits for its end; returns what asks for its output, of a `curl` anew each time. */
async function typeIn({ text, place }: Passage, desk: Desk): Promise<() => string | Promise<string>> {
  const type = async (): Promise<Terminal> => {
    const terminal = start(text, desk);
    await once(terminal.process, 'close');
    return terminal;
  };
  if (text.startsWith('curl ')) return async () => (await type()).output;
  const { process, output } = await type();
  assert.equal(process.exitCode, 0, `${place}: exit code ${process.exitCode}\n${text}\n${output}`);
  return () => output;
}

/** Types a block into another terminal, in which nothing runs any more, and lets it run. */
async function typeInto(
  name: string,
  { text, place }: Passage,
  desk: Desk,
  terminals: Map<string, Terminal>,
): Promise<() => string> {
  const before = terminals.get(name)?.process;
  if (before !== undefined) await until(() => hasEnded(before), `${place}: ${name} is free`);
  const terminal = start(text, desk);
  terminals.set(name, terminal);
  return () => terminal.output;
}

function start(text: string, { cwd, env, shell: [file, ...args] }: Desk): Terminal {
  const all = [...args, 'sh', '-e', '-c', text];
  // A group of its own, as each job of a terminal has: Ctrl+C is for all of it.
  const child = spawn(file, all, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true }); // prettier-ignore
  const terminal = { process: child, output: '' };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (terminal.output += part));
  return terminal;
}

async function pressKeys({ text, place }: Passage, terminals: Map<string, Terminal>): Promise<void> {
  for (const [, ordinal = ''] of text.matchAll(/Ctrl\+C in\s+the\s+(\w+)\s+terminal/g)) {
    const terminal = terminals.get(`terminal-${ordinals.indexOf(ordinal)}`);
    assert.ok(terminal !== undefined, `${place}: nothing was typed into the ${ordinal} terminal`);
    signal(terminal.process, 'SIGINT');
    await until(() => hasEnded(terminal.process), `${place}: what runs in the ${ordinal} terminal ends`);
  }
}

/** Nothing happens to what has ended. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (!hasEnded(child) && child.pid !== undefined) process.kill(-child.pid, name);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** A block of yaml with a name is that file; one without is a part of one, to be looked at. */
function write(cwd: string, name: string, { text }: Passage): void {
  if (name !== '') writeFileSync(join(cwd, name), `${text}\n`);
}

/** Puts what a diff adds where what it removes is; both are whole lines, and the file has them once. */
function edit(file: string, { text, place }: Passage): void {
  const lines = text.split('\n');
  const side = (left: string): string =>
    lines.flatMap((line) => (line.startsWith(left) ? [] : [`${line.slice(1)}\n`])).join('');
  const parts = readFileSync(file, 'utf8').split(`\n${side('+')}`);
  assert.equal(parts.length, 2, `${place}: the file has what is to be changed ${parts.length - 1} times:\n${text}`);
  writeFileSync(file, parts.join(`\n${side('-')}`));
}

async function hasShown({ text, place }: Passage, output: (() => string | Promise<string>) | null): Promise<void> {
  assert.ok(output !== null, `${place}: nothing was typed that could show this`);
  const lines = text.split('\n').filter((line) => line !== '…');
  let latest = '';
  const wanting = async (): Promise<string | undefined> => {
    latest = await output();
    return lines.find((line) => !isShown(line, latest));
  };
  const givesUpAt = performance.now() + limitMs;
  for (let line = await wanting(); line !== undefined; line = await wanting()) {
    assert.ok(performance.now() < givesUpAt, `${place}: this was not shown: ${line}\nThis was: ${latest}`);
    await sleep(250);
  }
}

/** Numbers may be others, but errors of predictions are what documents boast of: they are within a tenth. */
function isShown(line: string, output: string): boolean {
  const pattern = patternOf(line);
  const mae = maeOf(line);
  return output
    .split('\n')
    .some((candidate) => pattern.test(masked(candidate)) && Math.abs(maeOf(candidate) - mae) <= 0.1 * mae);
}

function maeOf(line: string): number {
  return Number(/\bmae ([\d.]+)/.exec(line)?.[1] ?? 0);
}

/** A line as it is shown, where `…` is anything, and a terminal has the log's time and level in front. */
function patternOf(line: string): RegExp {
  const parts = masked(line.replace(/^\[[\d:]+\] [A-Z]+: /, '')).split('…');
  return new RegExp(parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*'));
}

/** Numbers, digests and columns are other ones on each machine. */
function masked(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{16,}\b/g, '#')
    .replaceAll(/-?\d+(\.\d+)?(e-?\d+)?/g, '#')
    .replaceAll(/ +/g, ' ');
}
