import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonOf } from '../python-of.ts';

/** Programs to run beside this one. */
export interface Peers {
  /** A Python with the packages of `requirements.txt`. */
  readonly python: string;
  /** `fetch.c`, built against the librdkafka that confluent-kafka brings; null where its headers are not installed. */
  readonly fetch: string | null;
}

/** Folder of the peers' programs. */
export const peerDir = fileURLToPath(new URL('.', import.meta.url));

/**
 * Installs the pinned peers (about 6 GB, minutes) into `dir`, unless they are there. The C peer needs a C compiler and the
 * headers of librdkafka (Debian: librdkafka-dev).
 */
export function installPeers(dir: string): Peers {
  const python = pythonOf(dir, join(peerDir, 'requirements.txt'));
  return { python, fetch: buildFetch(dir, python) };
}

function buildFetch(dir: string, python: string): string | null {
  if (!existsSync('/usr/include/librdkafka/rdkafka.h')) return null;
  const where = 'import confluent_kafka, os; print(os.path.dirname(confluent_kafka.__file__) + ".libs")';
  const libraries = execFileSync(python, ['-c', where], { encoding: 'utf8' }).trim();
  const library = readdirSync(libraries).find((name) => name.startsWith('librdkafka'));
  if (library === undefined) throw new Error(`there is no librdkafka in ${libraries}`);
  const program = join(dir, 'fetch');
  const linking = [`-L${libraries}`, `-l:${library}`, `-Wl,-rpath,${libraries}`];
  const args = ['-O2', '-Wall', '-Wextra', '-o', program, join(peerDir, 'fetch.c'), ...linking];
  execFileSync('cc', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  return program;
}
