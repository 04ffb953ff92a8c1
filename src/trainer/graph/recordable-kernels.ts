import * as tf from '@tensorflow/tfjs-core';
import { dataTypes, type NodeBackend } from './addon.ts';
import { withAddonOps } from './addon-ops.ts';

type GradientFunction = tf.GradConfig['gradFunc'];

/**
 * Runs `work` with functions of TensorFlow.js in a form that does the same for every number of rows, or takes fewer ops.
 *
 * Its gather reads the indexes to check them, which a graph's gather does itself: `whileReading` surrounds it. Its gradient of tile
 * adds up slices one by one, as many as there are rows: a sum over them takes its place. Its gradient of relu is eight ops, for which
 * TensorFlow has one. Its products of layers are of stacks, even of one matrix: TensorFlow multiplies and fuses matrices better.
 */
export function withRecordableKernels<T>(whileReading: (read: () => unknown) => unknown, work: () => T): T {
  const restores: (() => void)[] = [];
  const replaceKernel = (name: string, replacement: (kernelFunc: tf.KernelFunc) => tf.KernelFunc): void => {
    const kernel = tf.getKernel(name, 'tensorflow') as { kernelFunc: tf.KernelFunc } | undefined;
    if (kernel === undefined) return;
    const { kernelFunc } = kernel;
    kernel.kernelFunc = replacement(kernelFunc);
    restores.push(() => (kernel.kernelFunc = kernelFunc));
  };
  replaceKernel('GatherV2', (kernelFunc) => (params) => whileReading(() => kernelFunc(params)) as tf.TensorInfo);
  replaceKernel('BatchMatMul', productOfMatrices);
  replaceKernel('_FusedMatMul', productOfMatrices);
  for (const [kernel, replacement] of Object.entries({ Tile: gradientOfTile, Relu: gradientOfRelu })) {
    const gradient = tf.getGradient(kernel) as { gradFunc: GradientFunction } | undefined;
    if (gradient === undefined) continue;
    const { gradFunc } = gradient;
    gradient.gradFunc = replacement;
    restores.push(() => (gradient.gradFunc = gradFunc));
  }
  try {
    return work();
  } finally {
    for (const restore of restores) restore();
  }
}

/** A kernel that multiplies `a` and `b` as matrices where both are stacks of one. */
function productOfMatrices(kernelFunc: tf.KernelFunc): tf.KernelFunc {
  return (params) => {
    const { a, b } = params.inputs as { readonly a: tf.Tensor; readonly b: tf.Tensor };
    const isOfOne = [a, b].every(({ shape }) => shape.length === 3 && shape[0] === 1);
    if (!isOfOne) return kernelFunc(params);
    const inputs = { ...params.inputs, a: tf.squeeze(a, [0]), b: tf.squeeze(b, [0]) };
    return tf.expandDims(kernelFunc({ ...params, inputs }) as tf.Tensor, 0);
  };
}

const gradientOfTile: GradientFunction = (dy, [x], attributes) => {
  const { reps } = attributes as unknown as { readonly reps: readonly number[] };
  const { shape } = x!;
  return {
    x: () => {
      const split = shape.flatMap((size, axis) => [reps[axis]!, size]);
      const axes = shape.map((_, axis) => 2 * axis);
      return tf.sum(tf.reshape(dy as tf.Tensor, split), axes);
    },
  };
};

const gradientOfRelu: GradientFunction = (dy, [x]) => ({
  x: () =>
    withAddonOps(tf.backend() as unknown as NodeBackend, (ops) => ({
      slope: ops.op('ReluGrad', [ops.type('T', dataTypes.float32)], [ops.raw(dy as tf.Tensor), ops.raw(x!)]),
    })).slope,
});
