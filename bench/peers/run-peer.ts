import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Run } from '../measure.ts';
import { peerDir } from './install-peers.ts';

/** A program that prints what each of its runs took, one line of JSON a run. */
export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const execute = promisify(execFile);

/** Runs it in the folder of the peers. @throws where it fails, with what it said. */
export async function runPeer({ program, args, env }: PeerCommand): Promise<readonly Run[]> {
  const { stdout } = await execute(program, args, { cwd: peerDir, env: { ...process.env, ...env } });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  if (lines.length === 0) throw new Error(`${program} ${args.join(' ')} told of no run`);
  return lines.map((line) => JSON.parse(line) as Run);
}
