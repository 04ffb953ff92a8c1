import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';

const require = createRequire(import.meta.url);
export const nativePackage = '@tensorflow/tfjs-node-gpu';

/** What `npm run native` has built last. */
export interface NativeBuild {
  readonly addon: string;
  readonly tensorflow: string;
  readonly device: 'cpu' | 'gpu';
}

/** Why the tensorflow backend cannot be loaded on this machine, null where it can. Loads nothing. */
export function missingNative(): string | null {
  try {
    require.resolve(`${nativePackage}/package.json`);
  } catch {
    return `the optional package ${nativePackage} is not installed`;
  }
  const build = findNativeBuild();
  return typeof build === 'string' ? build : null;
}

/**
 * TensorFlow reads these once, from the process, when it is first loaded anywhere in it: so the main thread sets them before it
 * starts a thread that trains. What is set already stays. One thread in an op and one for all of them halve what a small step
 * costs. None (-1), so that the graph runs in the calling thread, would save two turns from thread to thread more, but then taking a CPU
 * profile corrupts the heap and ends the process, as was seen with TensorFlow 2.18 in products of matrices.
 */
export function prepareNativeEnvironment(): void {
  process.env['TF_NUM_INTRAOP_THREADS'] ??= '1';
  process.env['TF_NUM_INTEROP_THREADS'] ??= '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Otherwise it takes the whole memory of a GPU.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
}

/** The current build, or why there is none. */
export function findNativeBuild(): NativeBuild | string {
  const folder = join(process.env['MILLRACE_CACHE'] ?? join(homedir(), '.cache', 'millrace'), 'native');
  const pointer = join(folder, 'current.json');
  if (!existsSync(pointer)) return 'its native addon is not built on this machine: `npm run native` builds it';
  try {
    const build = JSON.parse(readFileSync(pointer, 'utf8')) as NativeBuild;
    const addon = join(folder, build.addon);
    return existsSync(addon) ? { ...build, addon } : `${addon} is gone: \`npm run native\` builds it again`;
  } catch (error) {
    return `${pointer} cannot be read: ${messageOf(error)}`;
  }
}
