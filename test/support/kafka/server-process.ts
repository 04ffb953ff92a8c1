import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A server of a test: its output goes to a file, and it does not outlive the process that started it. */
export interface ServerProcess {
  readonly pid: number;
  /** False as soon as it has ended, for whatever reason. */
  readonly isAlive: () => boolean;
  /** What it printed so far. */
  readonly log: () => string;
  /** Sends a signal; nothing happens to a server that has ended. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Starts a server that appends its output to `logFile`. */
export function startServer(command: string, args: readonly string[], logFile: string): ServerProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  const watcher = endWithUs(pid);
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const killAtExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killAtExit);
  const ended = once(child, 'exit').then(() => {
    watcher.kill('SIGKILL');
    process.off('exit', killAtExit);
  });
  // A server forgotten by a failing test must not keep the test process waiting.
  child.unref();
  return {
    pid,
    isAlive,
    log: () => readFileSync(logFile, 'utf8'),
    signal: (signal) => {
      if (isAlive()) child.kill(signal);
    },
    ended,
  };
}

/** Kills `pid` when this process is gone, even by SIGKILL: the pipe to the watcher closes and its `cat` ends. */
function endWithUs(pid: number): ChildProcess {
  const watcher = spawn('sh', ['-c', `cat >/dev/null; kill -9 ${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  const pipe = watcher.stdin as unknown as { unref(): void };
  pipe.unref();
  return watcher;
}

/** Ends the server with `signal`, and with SIGKILL where it takes longer than `limitMs`. */
export async function endServer(server: ServerProcess, signal: NodeJS.Signals, limitMs = 30_000): Promise<void> {
  if (!server.isAlive()) return;
  server.signal('SIGCONT');
  server.signal(signal);
  const killer = setTimeout(() => {
    server.signal('SIGKILL');
  }, limitMs);
  await server.ended;
  clearTimeout(killer);
}

/** Asks `isReady` every 100 ms until it says true; throws with the server's last output when the server or the time ends first. */
export async function untilReady(
  server: ServerProcess,
  isReady: () => Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const start = Date.now();
  while (!(await isReady())) {
    if (!server.isAlive() || Date.now() - start > limitMs)
      throw new Error(`the server did not get ready; it said:\n${server.log().slice(-4000)}`);
    await delay(100);
  }
}

/** Ports of the loopback interface that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
