import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type { Addon } from './graph/addon.ts';
import { findNativeBuild, nativePackage } from './native-build.ts';

const require = createRequire(import.meta.url);

/** Registers TensorFlow.js's backend `tensorflow`, once. The addon is for one thread of a process at a time. */
export function registerNative(): void {
  if (tf.engine().registryFactory['tensorflow'] !== undefined) return;
  const build = findNativeBuild();
  if (typeof build === 'string') throw new Error(build);
  polyfillUtil();
  const { NodeJSKernelBackend } = require(`${nativePackage}/dist/nodejs_kernel_backend`) as {
    readonly NodeJSKernelBackend: new (addon: Addon, packageName: string) => tf.KernelBackend;
  };
  require(`${nativePackage}/dist/register_all_kernels`);
  require(build.signalStack);
  const addon = require(build.addon) as Addon;
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(addon, nativePackage));
}

/** What computes, once it is registered: TensorFlow's version and its device. */
export function nativeDevice(): string {
  const build = findNativeBuild();
  if (typeof build === 'string') return '';
  const { isUsingGpuDevice } = tf.findBackend('tensorflow') as tf.KernelBackend & {
    readonly isUsingGpuDevice: boolean;
  };
  if (isUsingGpuDevice) return `TensorFlow ${build.tensorflow}, GPU`;
  return `TensorFlow ${build.tensorflow}, CPU${build.device === 'gpu' ? ' (built for CUDA, which finds no GPU here)' : ''}`;
}

/** Node 23 took away what tfjs-node 4.22.0 calls at nearly every op (tensorflow/tfjs#8425 mends it, unreleased). */
function polyfillUtil(): void {
  const util = require('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
