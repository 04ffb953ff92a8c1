import { execFile, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { machine } from '../machine.ts';
import { median } from '../measure.ts';
import { tableLine } from '../table.ts';
import type { Abuse } from './abuser.ts';
import { reading, startLearning, type LearningPipeline } from './learning-pipeline.ts';
import type { Load } from './load-client.ts';
import { startPeers, type Peer } from './peers.ts';

const usage = `npm run bench:serving -- [--rate N] [--seconds N] [--rounds N] [--connections N] [--arriving N] [--abuse N]

Predicts one row a request over HTTP keep-alive while a pipeline learns. In each round, while records go on to arrive, the same
client asks the pipeline, then a server of node:http that always answers the same (what this runtime can do at best), then a model
behind FastAPI (installed first, 60 MB). All share the machine. A line tells a median over the rounds and their least and most.
  --rate N         predictions a second (10000)
  --seconds N      how long each is asked (10), after five seconds that do not count
  --rounds N       (3)
  --connections N  keep-alive connections (32)
  --arriving N     records a second that arrive; 0: as fast as they are learned, from a log of two million (10000)
  --abuse N        in each round the pipeline is asked again with so many abusive requests a second beside, of every kind that
                   the tests know; 0: it is not (0)`;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    arriving: { type: 'string', default: '10000' },
    abuse: { type: 'string', default: '0' },
    help: { type: 'boolean' },
  },
});

/** What a round tells of one server, and of the pipeline meanwhile. */
interface Asked {
  readonly load: Load;
  /** Of the server, all threads, in cores. */
  readonly cpu: number;
  /** Records a second that the pipeline learned. */
  readonly learned: number;
}

interface Server {
  readonly name: string;
  readonly process: ChildProcess;
  ask(): Promise<Load>;
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
} as const satisfies Record<string, { readonly unit: string; of(asked: Asked): number }>;

if (values.help === true) console.log(usage);
else await bench();

async function bench(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-serving-'));
  const seconds = Number(values.seconds);
  const peers = await startPeers();
  let pipeline: LearningPipeline | null = null;
  try {
    const learning = await startLearning(dir, Number(values.arriving));
    pipeline = learning;
    console.log(machine());
    const abuses: Abuse[] = [];
    const servers = serversOf(learning, peers, abuses);
    const asked = new Map<string, Asked[]>(servers.map(({ name }) => [name, []]));
    const unasked: number[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      unasked.push((await during(learning, learning.process, () => sleep(1000 * seconds))).learned);
      for (const server of servers)
        asked.get(server.name)!.push(await during(learning, server.process, () => server.ask()));
    }
    tell('millrace.unasked.learned', 'records/s', unasked);
    for (const [name, rounds] of asked) {
      for (const [figure, { unit, of }] of Object.entries(figures)) tell(`${name}.${figure}`, unit, rounds.map(of));
    }
    for (const { requests, kinds, failed, cutOff, cpuSeconds: cpu } of abuses)
      console.log(
        `${requests} abuses of ${kinds} kinds; ${failed} answered as a fault of the server, ${cutOff} cut off, ${cpu} CPU-s`,
      );
  } finally {
    await pipeline?.stop();
    for (const peer of peers) peer.process.kill();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Whom each round asks, in this order; what abusers saw goes into `abuses`. */
function serversOf(learning: LearningPipeline, peers: readonly Peer[], abuses: Abuse[]): readonly Server[] {
  const asked = ({ name, port, process: child }: Peer): Server => ({ name, process: child, ask: () => ask(port) });
  const underAbuse = async (): Promise<Load> => {
    const abuse = told<Abuse>('abuser.ts', learning.port, values.abuse, Number(values.seconds) + 5);
    const load = await ask(learning.port);
    abuses.push(await abuse);
    return load;
  };
  const abused = { name: 'millrace.abused', process: learning.process, ask: underAbuse };
  const own = asked({ name: 'millrace', ...learning });
  return [own, ...(values.abuse === '0' ? [] : [abused]), ...peers.map(asked)];
}

function tell(name: string, unit: string, runs: readonly number[]): void {
  console.log(tableLine({ name, value: median(runs), unit, runs, better: 'lower', against: null, note: null }));
}

function ask(port: number): Promise<Load> {
  return told('load-client.ts', port, values.rate, values.seconds, values.connections, reading);
}

/** The document that a script of this folder prints. */
async function told<Document>(script: string, ...args: readonly (string | number)[]): Promise<Document> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path, ...args.map(String)]);
  return JSON.parse(stdout) as Document;
}

/** What `work` tells, what the pipeline learns during it, and the CPU that `server` takes. */
async function during<Told>(
  pipeline: LearningPipeline,
  server: ChildProcess,
  work: () => Promise<Told>,
): Promise<{ readonly load: Told; readonly cpu: number; readonly learned: number }> {
  const startMs = performance.now();
  const before = { trained: await pipeline.trained(), cpu: cpuSeconds(server) };
  const load = await work();
  const seconds = (performance.now() - startMs) / 1000;
  const learned = ((await pipeline.trained()) - before.trained) / seconds;
  return { load, cpu: (cpuSeconds(server) - before.cpu) / seconds, learned };
}

/** Of all threads, from Linux's own account in hundredths of a second. */
function cpuSeconds({ pid }: ChildProcess): number {
  const [, fields = ''] = readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8').split(') ');
  const [user = NaN, system = NaN] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) / 100;
}
