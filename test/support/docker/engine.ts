import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, startProcess } from '../command.ts';
import { endServer, startServer, untilReady, type ServerProcess } from '../kafka/server-process.ts';

/** A Docker engine of a test, with images and volumes of its own. */
export interface Engine {
  /** What the engine's clients have in their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The program and first arguments of a command that is to see the ports that the engine publishes. */
  readonly withPorts: readonly [string, ...string[]];
  /** Runs a program that talks to this engine and returns what it printed; fails with what it said. */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string>;
  readonly docker: (...args: readonly string[]) => Promise<string>;
  /** What answers at a loopback address where the engine publishes ports; '' where nothing does. */
  readonly get: (url: string) => Promise<string>;
  /** Ends its containers and itself; images and volumes stay in the directory. */
  readonly stop: () => Promise<void>;
}

/**
 * Networks of the engine's containers: `host` is this machine's, through which an image is built; `own` is a namespace of the engine,
 * with bridges and published ports that nobody else sees, and no way out.
 */
export type EngineNetwork = 'host' | 'own';

/** Debian's client builds with the BuildKit inside the engine; a newer one needs a plugin for it. */
const client = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';
const limitMs = 600_000;

/** Starts an engine that keeps everything in `dir`; rejects with its last output where this machine does not let it run. */
export async function startEngine(dir: string, network: EngineNetwork): Promise<Engine> {
  const socket = join(dir, 'docker.sock');
  const env = { DOCKER_HOST: `unix://${socket}`, DOCKER_BUILDKIT: '1' };
  const run: Engine['run'] = async (program, ...args) => {
    const { code, stdout, stderr } = await startProcess('nice', [program, ...args], { env, cwd: projectRoot, limitMs })
      .ended;
    assert.equal(code, 0, `${program} ${args.join(' ')}:\n${stdout.slice(-2000)}${stderr.slice(-4000)}`);
    return stdout.trim();
  };
  const docker: Engine['docker'] = (...args) => run(client, ...args);
  mountDisk(dir);
  const server = startDaemon(dir, socket, network);
  const isReady = (): Promise<boolean> => docker('version').then(() => true, () => false); // prettier-ignore
  await untilReady(server, isReady).catch(async (error: unknown) => {
    await endServer(server, 'SIGTERM');
    unmountDisk(dir);
    throw error;
  });
  const withPorts = ['nsenter', ...(network === 'own' ? [`--net=/proc/${server.pid}/ns/net`] : [])] as const;
  return {
    env,
    withPorts,
    run,
    docker,
    get: async (url) => {
      const script = 'fetch(process.argv[1]).then((answer) => answer.text()).then(console.log, () => undefined)';
      return run(...withPorts, process.execPath, '-e', script, url);
    },
    stop: async () => {
      const containers = (await docker('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '');
      if (containers.length > 0) await docker('rm', '--force', ...containers);
      await endServer(server, 'SIGTERM');
      rmSync(socket, { force: true });
      // It leaves its own network namespace mounted.
      spawnSync('umount', [join(dir, 'exec/netns/default')]);
      unmountDisk(dir);
    },
  };
}

/** More than the images take; a sparse file is as large as what is in it. */
const diskBytes = 32 * 2 ** 30;

/**
 * Gives the engine a disk of its own: a file system in one sparse file. An engine leaves hundreds of thousands of files, which take
 * minutes to delete one by one and no time with the one file that holds them.
 */
function mountDisk(dir: string): void {
  const file = join(dir, 'disk');
  const data = join(dir, 'data');
  if (!existsSync(file)) {
    mkdirSync(data);
    writeFileSync(file, '');
    truncateSync(file, diskBytes);
    // What a crash would leave is of no use to anybody: no journal.
    execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', file], { stdio: 'pipe' });
  }
  execFileSync('mount', ['-o', 'loop,noatime', file, data], { stdio: 'pipe' });
}

function unmountDisk(dir: string): void {
  execFileSync('umount', ['--recursive', join(dir, 'data')], { stdio: 'pipe' });
}

function startDaemon(dir: string, socket: string, network: EngineNetwork): ServerProcess {
  const daemon = [
    'dockerd',
    `--data-root=${join(dir, 'data')}`,
    `--exec-root=${join(dir, 'exec')}`,
    `--pidfile=${join(dir, 'docker.pid')}`,
    `--host=unix://${socket}`,
  ];
  const log = join(dir, 'dockerd.log');
  if (network === 'host') {
    return startServer('nice', [...daemon, '--bridge=none', '--iptables=false', '--ip6tables=false'], log);
  }
  return startServer('unshare', ['--net', 'sh', '-c', `ip link set lo up && exec ${daemon.join(' ')}`], log);
}
