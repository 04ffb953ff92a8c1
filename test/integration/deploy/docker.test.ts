import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { messageOf } from '../../../src/errors.ts';
import { cloneCheckout, projectRoot, temporaryDirectory, until } from '../../support/command.ts';
import { typeTutorial } from '../../support/docs/tutorial.ts';
import { startEngine, type Engine, type EngineNetwork } from '../../support/docker/engine.ts';
import { buildNodeImage, buildServerImages, imageNode, nodeImage } from '../../support/docker/stand-ins.ts';
import { freePorts } from '../../support/kafka/server-process.ts';
import { missing } from '../../support/requirements.ts';
import type { InspectDocument } from '../../support/documents.ts';
import type { QueriedSeries } from '../../support/watchers.ts';

interface ComposeFile {
  readonly services: Readonly<
    Record<string, { readonly image: string; readonly environment?: Readonly<Record<string, string>> }>
  >;
}

const composeFile = parse(readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8'), {
  merge: true,
}) as ComposeFile;
const needed = ['dockerd', 'docker-compose', 'mmdebstrap', 'mkfs.ext4', 'nsenter', 'ip', 'iptables', 'jlink', 'prometheus', 'prometheus-alertmanager', 'kafka-4.3.1', 'apicurio-2.6.13.Final', `node-${imageNode}`] as const; // prettier-ignore
const skip = process.getuid?.() === 0 ? (missing(...needed) ?? false) : 'an engine is started by root';

test('on a Docker engine', { skip }, async (t) => {
  let engine: Engine | null = null;
  // Hooks run in this order.
  t.after(() => engine?.stop());
  const dir = temporaryDirectory(t);
  engine = await engineFor(t, dir, 'host');
  if (engine === null) return;
  const { docker } = engine;
  const once = (...args: readonly string[]): Promise<string> => docker('run', '--rm', '--network=none', ...args);
  await buildNodeImage(engine, dir);
  // Meanwhile: much of building Millrace's image is waiting for the network.
  const servers = buildServerImages(engine, dir, imagesOf(composeFile));
  servers.catch(() => undefined);

  await t.test('the image is built, from what the package holds and with TensorFlow', async () => {
    const base = `NODE_IMAGE=${nodeImage}`;
    await docker('build', '--network=host', '--quiet', '--file', 'deploy/Dockerfile', '--build-arg', base, '--tag', 'millrace', '.'); // prettier-ignore
    const [{ Config: config }] = JSON.parse(await docker('inspect', 'millrace')) as [
      { Config: { User: string; Labels: Record<string, string> } },
    ];
    assert.equal(config.User, '1000:1000');
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    assert.equal(config.Labels['org.opencontainers.image.version'], version);
    const absent = ['/opt/millrace/src', '/opt/millrace/node_modules/tsx', '/usr/bin/g++', '/usr/bin/python3'];
    const list = ['-c', 'ls -d "$@" 2> /dev/null || true', 'sh', '/opt/millrace/dist', ...absent];
    assert.equal(await once('--entrypoint=sh', 'millrace', ...list), '/opt/millrace/dist');
    const backends = await once('--read-only', '--tmpfs=/tmp', 'millrace', 'backends');
    assert.match(backends, /^tensorflow +TensorFlow 2/m);
  });

  await t.test('it runs read-only as nobody in particular, becomes healthy, stops in time and goes on', () =>
    lives(docker, dir),
  );

  await servers;
  await engine.stop();
  engine = await engineFor(t, dir, 'own');
  if (engine === null) return;
  const alone = engine;
  await t.test('the tutorial, typed in as written, does what it says', () => typesTutorial(alone, dir));
  await t.test('docker-compose up: a model learns, and Prometheus sees it', () => composes(alone));
});

/** An engine, or null and the test skipped where this machine does not let one run, as in a container without privileges. */
async function engineFor(t: TestContext, dir: string, network: EngineNetwork): Promise<Engine | null> {
  try {
    return await startEngine(dir, network);
  } catch (error) {
    t.skip(`no Docker engine runs here (network: ${network}): ${messageOf(error)}`);
    return null;
  }
}

/** Starts, stops and starts again, on an embedded log in the volume. */
async function lives(docker: Engine['docker'], dir: string): Promise<void> {
  const [port = 0] = await freePorts(1);
  const config = join(dir, 'millrace.yaml');
  writeFileSync(config, JSON.stringify(pipeline));
  const hardened = ['--read-only', '--tmpfs=/tmp', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--memory=1g'];
  const mounts = ['--volume=state:/var/lib/millrace', '--volume', `${config}:/etc/millrace/millrace.yaml:ro`];
  const place = [...hardened, ...mounts, '--network=host', '--env', `MILLRACE_PORT=${port}`];
  const millrace = (...args: readonly string[]): Promise<string> =>
    docker('run', '--rm', ...place, 'millrace', ...args);
  const produce = (count: number): Promise<string> =>
    millrace('produce', '--log=log', '--topic=readings', '--simulate=20', `--count=${count}`);
  const start = (name: string): Promise<string> => docker('run', '--detach', '--name', name, ...place, 'millrace');
  const stateOf = (name: string, format: string): Promise<string> =>
    docker('inspect', '--format', `{{.State.${format}}}`, name);
  const stop = async (name: string): Promise<string> => {
    const startedAt = performance.now();
    await docker('stop', name);
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds < 5, `${name} took ${seconds.toFixed(1)} s`);
    return stateOf(name, 'ExitCode');
  };
  const learned = async (count: number): Promise<void> => {
    const trained = new RegExp(`^millrace_records_total{.*outcome="trained".*} ${count}$`, 'm');
    await eventually(async () => trained.test(await pageAt(`http://127.0.0.1:${port}/metrics`)), `${count} learned`);
  };
  const recordsRead = async (): Promise<number | undefined> => {
    const { checkpoints } = JSON.parse(await millrace('inspect', 'state', '--json')) as InspectDocument;
    return checkpoints[0]?.records.read;
  };

  await produce(2000);
  await start('learner');
  await eventually(async () => (await stateOf('learner', 'Health.Status')) === 'healthy', 'healthy');
  assert.match(await docker('exec', 'learner', 'id'), /^uid=1000\(node\) gid=1000\(node\)/);
  await assert.rejects(docker('exec', 'learner', 'touch', '/opt/millrace/dist/x'), /Read-only file system/);
  await learned(2000);
  assert.equal(await stop('learner'), '0');
  assert.equal(await recordsRead(), 2000);

  await docker('start', 'learner');
  await produce(3000);
  await learned(1000);
  assert.equal(await stop('learner'), '0');
  assert.equal(await recordsRead(), 3000);

  // Before Node listens to signals, tini is the one that hears it.
  await start('early');
  await stop('early');
}

const pipeline = {
  name: 'fleet',
  source: { log: { dir: 'log', topic: 'readings' } },
  decode: { avro: { schemaFile: 'log/readings.avsc' } },
  key: 'sensorId',
  time: 'measuredAt',
  features: { temperature: {}, load: {} },
  target: 'power',
  batch: { rows: 50, maxDelay: '200ms' },
  models: { main: { mlp: { hidden: [32] } } },
  backend: 'tensorflow',
  http: { port: '${MILLRACE_PORT}' },
};

/** Brings up all of docker-compose.yml but Grafana, which is not to be had, and the GPU. */
async function composes({ run, get }: Engine): Promise<void> {
  const compose = (...args: readonly string[]): Promise<string> => run('docker-compose', '-p', 'test', ...args);
  await compose('--profile', 'gpu', 'config', '--quiet');
  const services = Object.keys(composeFile.services).filter((name) => !['grafana', 'millrace-gpu'].includes(name));
  await compose('up', '--detach', '--no-build', ...services);

  const score = async (model: string): Promise<number> => {
    const expr = `millrace_recent_score{metric="mae",model="${model}"}`;
    const answer = await get(`http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(expr)}`);
    if (answer === '') return NaN;
    const { data } = JSON.parse(answer) as { data: { result: readonly QueriedSeries[] } };
    return Number(data.result[0]?.value[1]);
  };
  await eventually(async () => (await score('main')) < 0.8 * (await score('baseline')), 'the model beats the baseline');
  assert.deepEqual(JSON.parse(await get('http://127.0.0.1:9464/v2/health/ready')), { ready: true });
  assert.match(await get('http://127.0.0.1:9090/api/v1/rules'), /"name":"MillraceDown"/);
  assert.match(await get('http://127.0.0.1:9090/api/v1/alertmanagers'), /alertmanager:9093/);
  assert.match(await get('http://127.0.0.1:9093/api/v2/status'), /alertname=.{1,2}MillraceDown/);
  // What Grafana mounts is there, and the token beside it is not for others.
  const home = composeFile.services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
  assert.match(await compose('exec', '-T', 'prometheus', 'cat', home), /"title": "Millrace: overview"/);
  await assert.rejects(
    compose('exec', '-T', 'prometheus', 'cat', '/provisioned/secrets/http-token'),
    /Permission denied/,
  );
  assert.match(await compose('exec', '-T', 'millrace', 'cat', '/run/millrace/secrets/http-token'), /^[0-9a-f]{64}$/);
  await compose('stop', 'millrace');
  assert.match(await compose('logs', 'millrace'), /records: \d+ trained/);
}

/** In a checkout of its own, on a machine without the native backend. */
async function typesTutorial({ env, withPorts }: Engine, dir: string): Promise<void> {
  const cwd = join(dir, 'millrace');
  cloneCheckout(cwd);
  const cache = join(dir, 'cache');
  mkdirSync(cache);
  await typeTutorial('docs/tutorial.md', {
    cwd,
    env: {
      ...env,
      COMPOSE_PROJECT_NAME: 'tutorial',
      MILLRACE_CACHE: cache,
      PACKAGES: join(projectRoot, 'node_modules'),
      PATH: `${join(projectRoot, 'test/support/docs/bin')}:${process.env['PATH'] ?? ''}`,
    },
    shell: withPorts,
  });
}

function imagesOf({ services }: ComposeFile): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image]));
}

/** Each answer costs a process or a request: they are asked for four times a second, and a machine with much to do gets time. */
async function eventually(isSo: () => Promise<boolean>, what: string): Promise<void> {
  await until(async () => (await isSo()) || (await sleep(250, false)), what, 180_000);
}

/** '' while nobody answers. */
function pageAt(url: string): Promise<string> {
  return fetch(url).then(
    (answer) => answer.text(),
    () => '',
  );
}
