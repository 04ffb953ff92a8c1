import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machine } from '../machine.ts';
import type { Abuse } from './abuser.ts';
import { ask, during, tell, tellAsked, told, type Asked, type Asking } from './asking.ts';
import { benchFullSpeed } from './full-speed.ts';
import { makeLog, startLearning, type LearningPipeline } from './learning-pipeline.ts';
import type { Load } from './load-client.ts';
import { startPeers, type Peer } from './peers.ts';
import { warmUpSeconds } from './warm-up.ts';

const usage = `npm run bench:serving -- [--rate N] [--seconds N] [--rounds N] [--connections N] [--arriving N] [--abuse N]

Predicts one row a request over HTTP keep-alive while a pipeline learns. In each round, while records go on to arrive, the same
client asks the pipeline, then a server of node:http that always answers the same (what this runtime can do at best), then a model
behind FastAPI (installed first, 60 MB). All share the machine. A line tells a median over the rounds and their least and most.
  --rate N         predictions a second (10000)
  --seconds N      how long each is asked (10), after five seconds that do not count
  --rounds N       (3)
  --connections N  keep-alive connections (32)
  --arriving N     records a second that arrive (10000); 0: a log of 15 to 30 million (3 GB) is learned as fast as it can be, by a
                   pipeline that is not asked and then by one that is, with no other server
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

interface Server {
  readonly name: string;
  readonly process: ChildProcess;
  ask(): Promise<Load>;
}

const rounds = Number(values.rounds);
const asking: Asking = {
  rate: Number(values.rate),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
};

if (values.help === true) console.log(usage);
else await bench();

async function bench(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-serving-'));
  console.log(machine());
  try {
    if (values.arriving === '0') await benchFullSpeed(dir, rounds, asking);
    else await benchArriving(dir, Number(values.arriving));
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function benchArriving(dir: string, arriving: number): Promise<void> {
  const peers = await startPeers();
  let pipeline: LearningPipeline | null = null;
  try {
    const log = join(dir, 'log');
    await makeLog(log, 2 * arriving);
    const learning = await startLearning({ log, state: join(dir, 'state'), checkpointEvery: '30s', arriving });
    pipeline = learning;
    const abuses: Abuse[] = [];
    const servers = serversOf(learning, peers, abuses);
    const asked = new Map<string, Asked<Load>[]>(servers.map(({ name }) => [name, []]));
    const unasked: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      unasked.push((await during(learning, learning.process, () => sleep(1000 * asking.seconds))).learned);
      for (const server of servers)
        asked.get(server.name)!.push(await during(learning, server.process, () => server.ask()));
    }
    tell('millrace.unasked.learned', 'records/s', unasked);
    for (const [name, loads] of asked) tellAsked(name, loads);
    for (const { requests, kinds, failed, cutOff, cpuSeconds: cpu } of abuses)
      console.log(
        `${requests} abuses of ${kinds} kinds; ${failed} answered as a fault of the server, ${cutOff} cut off, ${cpu} CPU-s`,
      );
  } finally {
    await pipeline?.stop();
    for (const peer of peers) peer.process.kill();
  }
}

/** Whom each round asks, in this order; what abusers saw goes into `abuses`. */
function serversOf(learning: LearningPipeline, peers: readonly Peer[], abuses: Abuse[]): readonly Server[] {
  const asked = ({ name, port, process: child }: Peer): Server => ({
    name,
    process: child,
    ask: () => ask(port, asking),
  });
  const underAbuse = async (): Promise<Load> => {
    const abuse = told<Abuse>('abuser.ts', learning.port, values.abuse, asking.seconds + warmUpSeconds);
    const load = await ask(learning.port, asking);
    abuses.push(await abuse);
    return load;
  };
  const abused = { name: 'millrace.abused', process: learning.process, ask: underAbuse };
  const own = asked({ name: 'millrace', ...learning });
  return [own, ...(values.abuse === '0' ? [] : [abused]), ...peers.map(asked)];
}
