import { createRequire } from 'node:module';
import { BlockingThread } from './blocking-thread.ts';
import type { DenseEngine, DenseInputs } from './dense-engine.ts';

/** What the GPU's thread says of itself. */
export interface WebgpuFacts {
  readonly device: string;
  /** The adapter computes on the CPU. */
  readonly isSoftware: boolean;
}

/** What it is asked; it answers arrays. `backward` is the way back of the last `forward`. */
export type WebgpuRequest =
  | { readonly kind: 'forward'; readonly inputs: DenseInputs }
  | { readonly kind: 'backward'; readonly slopes: Float32Array };

export interface WebgpuEngine extends DenseEngine, WebgpuFacts {}

const require = createRequire(import.meta.url);
const packages = { webgpu: '0.6.2', '@tensorflow/tfjs-backend-webgpu': '4.22.0' };

let started: Promise<WebgpuEngine> | null = null;

/**
 * The GPU, in a thread of its own since its values can only be awaited, while a learner is synchronous: a call waits for that
 * thread. One for each thread that learns, started once, ended with it. Rejects with the reason where there is no GPU.
 */
export function webgpuEngine(): Promise<WebgpuEngine> {
  started ??= start();
  return started;
}

/** Why the packages behind it cannot be loaded, null where they can. Loads nothing. */
export function missingWebgpu(): string | null {
  try {
    for (const name of Object.keys(packages)) require.resolve(name);
    return null;
  } catch {
    const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
    return `its optional packages are not installed: \`npm install ${wanted.join(' ')}\` does (150 MB)`;
  }
}

async function start(): Promise<WebgpuEngine> {
  const thread = await BlockingThread.start<WebgpuFacts, WebgpuRequest, readonly Float32Array[]>('webgpu-thread');
  return {
    ...thread.facts,
    pass: (inputs, work) => {
      // A copy of these rows, since what is sent takes its whole buffer along.
      const features = inputs.features.slice();
      const [outputs] = thread.call({ kind: 'forward', inputs: { ...inputs, features } });
      return work(outputs!, (slopes) => thread.call({ kind: 'backward', slopes }));
    },
  };
}
