import { readFileSync, writeFileSync } from 'node:fs';
import { runPython } from './command.ts';

/** Lets a configuration that `init` wrote serve on any free port. */
export function anyPort(file: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace('port: 9464', 'port: 0'));
}

/** What a terminal showed of a command, without control sequences, and how the command ended. */
export interface TerminalSession {
  readonly code: number;
  readonly screen: string;
}

/** Runs a command on a pseudo-terminal: of each step, waits for the first text, then types the second. */
export async function onTerminal(
  command: readonly string[],
  steps: readonly (readonly [string, string])[],
  cwd: string,
): Promise<TerminalSession> {
  return (await runPython('terminal.py', [JSON.stringify({ command, steps })], { cwd })) as TerminalSession;
}
