import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { machine } from '../machine.ts';
import type { Abuse } from './abuser.ts';
import type { Load } from './load-client.ts';

const usage = `npm run bench:serving -- [--rate N] [--seconds N] [--connections N] [--arriving N] [--abuse N]

Predicts one row a request over HTTP keep-alive while a pipeline learns, and tells how long answers take and what learning
loses: first without requests, then with them, then with abuse beside them, over as many seconds each. The load client shares the machine.
  --rate N         predictions a second (10000)
  --seconds N      how long (30: a checkpoint comes every 30 seconds)
  --connections N  keep-alive connections (32)
  --arriving N     records a second that arrive; 0: as fast as they are learned, from a log of two million (10000)
  --abuse N        abusive requests a second in the last part, of every kind that the tests know; 0: no such part (0)`;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '30' },
    connections: { type: 'string', default: '32' },
    arriving: { type: 'string', default: '10000' },
    abuse: { type: 'string', default: '0' },
    help: { type: 'boolean' },
  },
});
const millrace = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));
const [loadClient, abuser] = ['load-client.ts', 'abuser.ts'].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
) as [string, string];
const run = promisify(execFile);
const backlog = 2_000_000;
const reading = JSON.stringify({ sensorId: 'sensor-0001', temperature: 20, load: 0.5, vibration: 1, site: 'north' });

if (values.help === true) console.log(usage);
else await bench(Number(values.seconds), Number(values.arriving));

async function bench(seconds: number, arriving: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-serving-'));
  const children: { kill(signal: NodeJS.Signals): boolean }[] = [];
  try {
    const log = join(dir, 'log');
    const produced = arriving === 0 ? backlog : 2 * arriving;
    await run(process.execPath, produceArguments(log, produced, []));
    if (arriving > 0) {
      const more = produceArguments(log, 1_000_000_000, ['--rate', String(arriving)]);
      children.push(spawn(process.execPath, more, { stdio: 'ignore' }));
    }
    const config = join(dir, 'serving.yaml');
    writeFileSync(config, JSON.stringify(configOf(log, join(dir, 'state'))));
    const service = spawn(process.execPath, [millrace, 'run', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(service);
    const url = await urlOf(service.stderr);
    await firstVersion(url);
    console.log(machine());
    const alone = await learning(url, service.pid, () => sleep(1000 * seconds));
    const { port } = new URL(url);
    const ask = (): Promise<Load> => told(loadClient, port, values.rate, seconds, values.connections, reading);
    let load: Load | undefined;
    const together = await learning(url, service.pid, async () => {
      load = await ask();
    });
    const abused =
      Number(values.abuse) === 0
        ? null
        : await Promise.all([ask(), told<Abuse>(abuser, port, values.abuse, seconds + 5)]);
    console.log(JSON.stringify({ arriving, alone, together, load, abused }, null, 2));
    service.kill('SIGTERM');
    await once(service, 'exit');
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The document that a script of this folder prints. */
async function told<Document>(script: string, ...args: readonly (string | number)[]): Promise<Document> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', script, ...args.map(String)]);
  return JSON.parse(stdout) as Document;
}

function produceArguments(log: string, count: number, more: readonly string[]): string[] {
  const what = ['--simulate', '100', '--count', String(count), '--seed', '5'];
  return [millrace, 'produce', '--log', log, '--topic', 'readings', ...what, ...more];
}

function configOf(log: string, dir: string): object {
  return {
    name: 'serving',
    source: { log: { dir: log, topic: 'readings' } },
    decode: { avro: { schemaFile: join(log, 'readings.avsc') } },
    key: 'sensorId',
    time: 'measuredAt',
    features: {
      temperature: {},
      load: {},
      vibration: {},
      site: { as: 'oneHot', max: 4 },
      powerBefore: { field: 'power', as: 'lag', rows: 1 },
    },
    target: 'power',
    batch: { rows: 256, maxDelay: '50ms' },
    models: { main: { mlp: { hidden: [64, 64] } } },
    checkpoint: { dir },
    http: { port: 0 },
  };
}

function urlOf(stderr: NodeJS.ReadableStream): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    // Read to the end, or the pipeline would have to wait for room.
    stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = /live page at (http:\/\/[^ ,]+),/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    stderr.on('end', () => {
      reject(new Error(`the pipeline ended; it said:\n${said}`));
    });
  });
}

async function firstVersion(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  while ((await fetch(`${url}/v1/predict`, { method: 'POST', headers, body: reading })).status === 503)
    await sleep(100);
}

/** What a pipeline learns, and the CPU it takes, while something else goes on. */
async function learning(url: string, pid: number | undefined, meanwhile: () => Promise<void>): Promise<object> {
  const startMs = performance.now();
  const before = { trained: await trained(url), cpu: cpuSeconds(pid) };
  await meanwhile();
  const seconds = (performance.now() - startMs) / 1000;
  return {
    recordsPerSecond: Math.round(((await trained(url)) - before.trained) / seconds),
    cpuShare: (cpuSeconds(pid) - before.cpu) / seconds,
  };
}

async function trained(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^millrace_records_total\{[^}]*outcome="trained"[^}]*\} (\S+)$/m.exec(text)?.[1]);
}

/** Of all threads, from Linux's own account in hundredths of a second. */
function cpuSeconds(pid: number | undefined): number {
  const [, fields = ''] = readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8').split(') ');
  const [user = NaN, system = NaN] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) / 100;
}
