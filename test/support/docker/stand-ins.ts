import { existsSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../command.ts';
import { testCache } from '../requirements.ts';
import type { Engine } from './engine.ts';

/** Version of Node in Millrace's image; `scripts/test-servers.sh node` fetches the same. */
export const imageNode = /^ARG NODE_IMAGE=node:([\d.]+)-/m.exec(
  readFileSync(join(projectRoot, 'deploy/Dockerfile'), 'utf8'),
)?.[1];

const support = join(projectRoot, 'test/support/docker');

/** The base image that Millrace's is built on. */
export const nodeImage = 'stand-in:node';

/** Makes `nodeImage`, from Debian's packages and the Node in the cache of the tests. */
export async function buildNodeImage(engine: Engine, work: string): Promise<void> {
  await fetchDebian(engine);
  await build(engine, work, 'node', nodeImage);
}

/** Debian as one file in the cache of the tests: unpacking its packages takes half a minute. */
async function fetchDebian(engine: Engine): Promise<void> {
  const file = join(testCache, 'debian-bookworm.tar');
  if (existsSync(file)) return;
  const unfinished = join(testCache, `debian-${process.pid}.tar`);
  await engine.run('mmdebstrap', '--quiet', '--include=busybox,ca-certificates', '--variant=minbase', 'bookworm', unfinished); // prettier-ignore
  renameSync(unfinished, file);
}

/** Makes images of the servers, under the names of the real ones in `images`, by service. Grafana is not to be had. */
export async function buildServerImages(
  engine: Engine,
  work: string,
  images: Readonly<Record<string, string>>,
): Promise<void> {
  const modules = 'java.se,jdk.crypto.ec,jdk.localedata,jdk.management,jdk.naming.dns,jdk.unsupported,jdk.zipfs';
  await engine.run('jlink', '--add-modules', modules, '--include-locales=en', '--strip-debug', '--output', join(work, 'java')); // prettier-ignore
  for (const service of ['kafka', 'registry', 'prometheus', 'alertmanager']) {
    await build(engine, work, service, images[service] ?? service);
  }
}

async function build(engine: Engine, work: string, target: string, tag: string): Promise<void> {
  const cache = realpathSync(testCache);
  const parts = { WORK: work, CACHE: cache, NODE: join(cache, `node-${imageNode}`), SUPPORT: support };
  const parameters = Object.entries(parts).flatMap(([name, path]) => ['--build-arg', `${name}=${path}`]);
  const file = join(support, 'stand-ins.Dockerfile');
  await engine.docker('build', '--network=none', '--quiet', '--target', target, '--tag', tag, ...parameters, '--file', file, '/'); // prettier-ignore
}
