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
  /** Loaded first in a thread that calls TensorFlow: an alternate stack for its signal handlers. */
  readonly signalStack: string;
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
 * starts a thread that trains. What is set already stays. One thread in an op saves handing work over. A graph runs in the thread that calls it, which
 * saves two turns from thread to thread, half of what a small step costs; `own` gives it one thread of its own: for a main thread that handles
 * signals, whose handlers must not run on the stack that TensorFlow uses (scripts/native/signal-stack.cc).
 */
export function prepareNativeEnvironment(graphThread: 'caller' | 'own' = 'caller'): void {
  process.env['TF_NUM_INTRAOP_THREADS'] ??= '1';
  process.env['TF_NUM_INTEROP_THREADS'] ??= graphThread === 'own' ? '1' : '-1';
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
    const build = JSON.parse(readFileSync(pointer, 'utf8')) as Omit<NativeBuild, 'signalStack'> & {
      readonly signalStack?: string;
    };
    if (build.signalStack === undefined)
      return 'its native addon is of an older build: `npm run native` builds it again';
    const [addon, signalStack] = [join(folder, build.addon), join(folder, build.signalStack)];
    const gone = [addon, signalStack].find((path) => !existsSync(path));
    return gone === undefined
      ? { ...build, addon, signalStack }
      : `${gone} is gone: \`npm run native\` builds it again`;
  } catch (error) {
    return `${pointer} cannot be read: ${messageOf(error)}`;
  }
}
