/** Entry of the thread that owns the GPU: TensorFlow.js on Dawn, which answers only who awaits it. */
import * as tf from '@tensorflow/tfjs-core';
import { answerCalls } from './blocking-thread.ts';
import { backwardPass, forwardPass } from './dense-engine.ts';
import type { ForwardPass, MlpSpec } from './dense-net.ts';
import type { WebgpuFacts, WebgpuRequest } from './webgpu-engine.ts';

/** The part of WebGPU's API that finds a device. */
interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<{
    readonly info: { readonly vendor: string; readonly description: string; readonly isFallbackAdapter: boolean };
  } | null>;
}

/** Makes Dawn what a browser would have, finds the adapter, and sets the backend. */
async function useGpu(): Promise<WebgpuFacts> {
  const dawn = (await import('webgpu')) as { readonly create: (flags: string[]) => Gpu; readonly globals: object };
  const gpu = dawn.create([]);
  Object.assign(globalThis, dawn.globals);
  // Node has a navigator of its own from 21 on, without a GPU.
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node.js' }, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) {
    throw new Error('no GPU was found: it needs a driver for Vulkan (libvulkan.so.1 on Linux), Metal or Direct3D 12');
  }
  tf.enableProdMode();
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js could not start its "webgpu" backend');
  const { vendor, description, isFallbackAdapter } = adapter.info;
  return { device: description === '' ? vendor : description, isSoftware: isFallbackAdapter };
}

/** The latest forward pass. Its tensors lie in a scope that the next one ends. */
let latest: { readonly activation: MlpSpec['activation']; readonly passed: ForwardPass } | null = null;

async function answer(request: WebgpuRequest): Promise<readonly Float32Array[]> {
  if (request.kind === 'forward') {
    latest = null;
    tf.engine().endScope();
    tf.engine().startScope();
    latest = { activation: request.inputs.activation, passed: forwardPass(request.inputs) };
    return [await latest.passed.outputs.data<'float32'>()];
  }
  if (latest === null) throw new Error('there is no way back before a forward pass');
  const gradients = backwardPass(latest.activation, latest.passed, request.slopes);
  return Promise.all(gradients.map((gradient) => gradient.data<'float32'>()));
}

const facts = await useGpu();
tf.engine().startScope();
answerCalls(facts, answer);
