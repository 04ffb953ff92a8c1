import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where `scripts/test-servers.sh` puts the servers that tests start. */
export const testCache = process.env['MILLRACE_TEST_CACHE'] ?? join(homedir(), '.cache', 'millrace');

/** The Python with the packages in `test/support/python/requirements.txt`. */
export const pythonWithPackages = join(testCache, 'python', 'bin', 'python3');

export type Requirement =
  | 'java'
  | 'chromium'
  | 'prometheus'
  | 'prometheus-alertmanager'
  | 'python3'
  | 'dockerd'
  | 'docker-compose'
  | 'mmdebstrap'
  | 'mkfs.ext4'
  | 'nsenter'
  | 'ip'
  | 'iptables'
  | 'jlink'
  | 'kubectl'
  | 'systemd-analyze'
  | 'python-packages'
  | 'kafka-4.3.1'
  | 'kafka-3.9.2'
  | 'apicurio-2.6.13.Final'
  | `node-${string}`;

/**
 * Why a suite cannot run on this machine, as `skip` of node:test wants it; undefined where everything is there.
 * @throws with the same reason where the environment says `CI`: nothing skips there.
 */
export function missing(...requirements: readonly Requirement[]): string | undefined {
  const reasons = requirements.flatMap((requirement) => reasonFor(requirement) ?? []);
  return reasons.length === 0 ? undefined : skipped(reasons.join('; '));
}

/**
 * The reason why a test is skipped.
 * @throws with the same reason where the environment says `CI`: nothing skips there.
 */
export function skipped(reason: string): string {
  if (process.env['CI'] !== undefined && process.env['CI'] !== '') throw new Error(`nothing skips in CI: ${reason}`);
  return reason;
}

function reasonFor(requirement: Requirement): string | undefined {
  switch (requirement) {
    case 'java':
      return javaReason();
    case 'chromium':
    case 'prometheus':
    case 'prometheus-alertmanager':
    case 'python3':
    case 'dockerd':
    case 'docker-compose':
    case 'mmdebstrap':
    case 'mkfs.ext4':
    case 'nsenter':
    case 'ip':
    case 'iptables':
    case 'jlink':
    case 'kubectl':
    case 'systemd-analyze':
      return onPath(requirement) ? undefined : `${requirement} is not on the PATH`;
    case 'python-packages':
      return hasPackages() ? undefined : `its Python is not in ${testCache}: run scripts/test-servers.sh`;
    default:
      if (!existsSync(join(testCache, requirement)))
        return `${requirement} is not in ${testCache}: run scripts/test-servers.sh`;
      return javaReason();
  }
}

function hasPackages(): boolean {
  const installed = join(testCache, 'python', 'requirements.txt');
  const wanted = new URL('./python/requirements.txt', import.meta.url);
  return existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(wanted, 'utf8');
}

function onPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));
}

let knownJavaReason: { readonly reason: string | undefined } | undefined;

function javaReason(): string | undefined {
  knownJavaReason ??= { reason: findJavaReason() };
  return knownJavaReason.reason;
}

function findJavaReason(): string | undefined {
  if (!onPath('java')) return 'java is not on the PATH';
  const version = execFileSync('java', ['--version'], { encoding: 'utf8' });
  const major = Number(/\b(\d+)[.\d]*/.exec(version)?.[1]);
  return major >= 17 ? undefined : `Java 17 or newer is needed, found: ${version.split('\n')[0] ?? ''}`;
}
