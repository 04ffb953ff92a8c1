import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { ConfigError, messageOf } from '../errors.ts';
import { createMlp } from './create-mlp.ts';
import type { Learner, Rows } from './learner.ts';
import { missingNative, prepareNativeEnvironment } from './native-build.ts';
import { TargetScale } from './target-scale.ts';
import type { BackendChoice, BackendName, TrainerOptions } from './trainer.ts';
import { missingWebgpu, webgpuEngine } from './webgpu-engine.ts';

/** The engines, the best first. */
export const backendNames: readonly BackendName[] = ['tensorflow', 'webgpu', 'wasm', 'cpu'];

/** One engine, as `millrace backends` shows it. */
export interface BackendReport {
  readonly name: BackendName;
  readonly available: boolean;
  /** Why it is not available; empty where it is. */
  readonly reason: string;
  /** What computes, empty where it is not available. */
  readonly device: string;
  /** Milliseconds of one Adam step of an 8-64-64-1 net by rows; empty where it is not available. */
  readonly stepMs: Readonly<Record<string, number>>;
}

type Refusal = BackendChoice['refused'][number];

const require = createRequire(import.meta.url);

/**
 * Multiply-adds of a batch's forward pass from which `auto` takes a GPU by webgpu. A smaller step costs more in calls (some 20 µs
 * of CPU for each of about 30 kernels, and two waits) than it saves: wasm takes about 30 ms for one of this size.
 */
const enoughForWebgpu = 5e7;

/**
 * Makes the backend of this thread: the one asked for, or with `auto` the first that suits and passes a self-test. One thread has one.
 * `multiplyAdds`: of the largest net's forward pass over a batch; null where a model is one that webgpu cannot run.
 * @throws ConfigError where the one asked for does not work here, or none does.
 */
export async function useBackend(
  wanted: BackendName | 'auto',
  multiplyAdds: number | null = 0,
): Promise<BackendChoice> {
  const refused: Refusal[] = [];
  for (const name of wanted === 'auto' ? backendNames : [wanted]) {
    const reason = (wanted === 'auto' ? unsuited(name, multiplyAdds) : null) ?? (await refusal(name, wanted));
    if (reason === null) return { name, device: await deviceOf(name), refused, eager: [] };
    refused.push({ name, reason });
  }
  const reasons = refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  throw new ConfigError('config.incompatible', `no backend works here (${reasons}); "backend: auto" takes what does`, {
    context: { key: 'backend' },
  });
}

/** What `useBackend` would most likely choose, without loading any: for pipelines whose models need none. */
export function likelyBackend(wanted: BackendName | 'auto'): BackendChoice {
  if (wanted !== 'auto') return { name: wanted, device: '', refused: [], eager: [] };
  const refused: Refusal[] = [];
  for (const name of backendNames) {
    const reason = unsuited(name, 0);
    if (reason === null) return { name, device: '', refused, eager: [] };
    refused.push({ name, reason });
  }
  return { name: 'cpu', device: '', refused, eager: [] };
}

/** Every engine with whether it works here, why not, and how long a step takes. Takes a few seconds. */
export async function listBackends(): Promise<readonly BackendReport[]> {
  const reports: BackendReport[] = [];
  for (const name of backendNames) {
    const reason = await refusal(name, name);
    const available = reason === null;
    const stepMs = available
      ? { '32': await stepMilliseconds(name, 32), '1024': await stepMilliseconds(name, 1024) }
      : {};
    const device = available ? await deviceOf(name) : '';
    reports.push({ name, available, reason: reason ?? '', device, stepMs });
  }
  return reports;
}

async function deviceOf(name: BackendName): Promise<string> {
  switch (name) {
    case 'tensorflow':
      return (await import('./register-native.ts')).nativeDevice();
    case 'webgpu':
      return (await webgpuEngine()).device;
    case 'wasm':
      return 'CPU, WebAssembly with SIMD';
    case 'cpu':
      return 'CPU, JavaScript';
  }
}

/** Why an engine is not installed, null where it is. */
function missing(name: BackendName): string | null {
  switch (name) {
    case 'tensorflow':
      return missingNative();
    case 'webgpu':
      return missingWebgpu();
    case 'wasm':
    case 'cpu':
      return null;
  }
}

/** Why `auto` passes over an engine without loading it, null where it does not. */
function unsuited(name: BackendName, multiplyAdds: number | null): string | null {
  if (name === 'webgpu' && multiplyAdds === null) return 'it runs no layers from a file';
  const isTooSmall = name === 'webgpu' && (multiplyAdds ?? 0) < enoughForWebgpu;
  return missing(name) ?? (isTooSmall ? 'slower than the CPU for nets this small; "backend: webgpu" takes it' : null);
}

/** Makes an engine the one of this thread and tests it; says why it cannot be used, null where it can. */
async function refusal(name: BackendName, wanted: BackendName | 'auto'): Promise<string | null> {
  const reason = missing(name);
  if (reason !== null) return reason;
  try {
    if (name === 'webgpu') {
      const { isSoftware, device } = await webgpuEngine();
      if (isSoftware && wanted === 'auto') return `${device} is not a GPU; "backend: webgpu" takes it`;
    } else {
      await load(name);
    }
    return await selfTest(name);
  } catch (error) {
    return messageOf(error);
  }
}

async function load(name: Exclude<BackendName, 'webgpu'>): Promise<void> {
  const tf = await import('@tensorflow/tfjs-core');
  // Otherwise the cpu backend advertises another package on every start.
  tf.enableProdMode();
  if (name === 'tensorflow') {
    prepareNativeEnvironment();
    const { registerNative } = await import('./register-native.ts');
    registerNative();
  } else if (name === 'wasm') {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const { transposeBeforeProducts } = await import('./wasm-products.ts');
    transposeBeforeProducts();
    wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  } else {
    await import('@tensorflow/tfjs-backend-cpu');
  }
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js could not start its "${name}" backend`);
}

/** One SGD step of a net whose numbers are all known: 2 rows, 2-2-1, relu. */
async function selfTest(name: BackendName): Promise<string | null> {
  const learner = await smallNet(name, { featureCount: 2, hidden: [2], optimizer: { kind: 'sgd' } });
  const kernels = [Float32Array.of(0.5, -0.25, 0.25, 0.5), Float32Array.of(1, -1)];
  learner.restore({
    json: {},
    arrays: {
      'weights.dense0/kernel': kernels[0]!,
      'weights.dense0/bias': new Float32Array(2),
      'weights.dense1/kernel': kernels[1]!,
      'weights.dense1/bias': new Float32Array(1),
    },
  });
  const rows = rowsOf(2, 2, Float32Array.of(1, 0, 0, 1));
  const before = learner.predict(rows);
  learner.learn(rows, Float64Array.of(1, 1));
  // Hidden layer [0.5, 0] and [0.25, 0.5]; outputs 0.5 and -0.25; errors -0.5 and -1.25; the rate is 0.1.
  const found = [...before, ...learner.weights().flatMap(({ values }) => [...values])];
  learner.dispose();
  const expected = [0.5, -0.25, 0.55, -0.25, 0.375, 0.375, 0.175, -0.125, 1.05625, -0.9375, 0.175];
  const isRight = expected.every((value, i) => Math.abs(value - found[i]!) < 1e-5);
  return isRight ? null : `its self-test gave ${found.map((value) => value.toFixed(5)).join(', ')}`;
}

async function stepMilliseconds(name: BackendName, rowCount: number): Promise<number> {
  const learner = await smallNet(name, { featureCount: 8, hidden: [64, 64], optimizer: { kind: 'adam' } });
  const rows = rowsOf(
    rowCount,
    8,
    Float32Array.from({ length: 8 * rowCount }, (_, i) => Math.sin(i)),
  );
  const labels = Float64Array.from({ length: rowCount }, (_, i) => Math.cos(i));
  const times: number[] = [];
  const deadline = performance.now() + 500;
  // The first steps are slow until the code is compiled; a slow engine gets fewer.
  while (times.length < 100 && (times.length < 10 || performance.now() < deadline)) {
    const started = performance.now();
    learner.learn(rows, labels);
    times.push(performance.now() - started);
  }
  learner.dispose();
  const later = times.slice(Math.floor(times.length / 2)).sort((a, b) => a - b);
  return later[Math.floor(later.length / 2)]!;
}

interface SmallNet {
  readonly featureCount: number;
  readonly hidden: readonly number[];
  readonly optimizer: TrainerOptions['training']['optimizer'];
}

/** A regression net on unscaled targets. */
function smallNet(name: BackendName, { featureCount, hidden, optimizer }: SmallNet): Promise<Learner> {
  return createMlp(name, new TargetScale('value'), 1, {
    featureCount,
    spec: { kind: 'mlp', hidden, activation: 'relu' },
    training: { optimizer, learningRate: 0.1, clipNorm: null, precision: 'float32', loss: { kind: 'mse' } },
    seed: 1,
  });
}

function rowsOf(rowCount: number, featureCount: number, features: Float32Array): Rows {
  const targets = new Float64Array(rowCount);
  return {
    rowCount,
    featureCount,
    features,
    keyIds: new Int32Array(rowCount),
    ownTargets: targets,
    lastTargets: targets,
  };
}
