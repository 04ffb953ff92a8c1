import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testCache } from '../../test/support/requirements.ts';
import { pythonOf } from '../python-of.ts';

/** A server that is asked the same as the pipeline. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
}

const folder = fileURLToPath(new URL('peers/', import.meta.url));

/** What else would answer: the floor of this runtime, and a model behind FastAPI, which is installed first. */
export async function startPeers(): Promise<readonly Peer[]> {
  const python = pythonOf(join(testCache, 'serving-peers'), join(folder, 'requirements.txt'));
  return Promise.all([
    started('node:http', process.execPath, ['--import', 'tsx', join(folder, 'node-http.ts')]),
    started('fastapi', python, [join(folder, 'fastapi_server.py')]),
  ]);
}

async function started(name: string, program: string, args: readonly string[]): Promise<Peer> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { name, port: Number(line), process: child };
}
