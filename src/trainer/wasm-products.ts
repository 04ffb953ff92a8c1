import * as tf from '@tensorflow/tfjs-core';

interface Backend {
  disposeData(dataId: object): boolean;
}

let isDone = false;

/**
 * Makes the wasm backend transpose an operand before it multiplies, not while: its kernel reads a transposed one in a scalar loop,
 * several times slower than the vectors it has for others. Gradients of dense layers are such products. Repeated calls do nothing.
 */
export function transposeBeforeProducts(): void {
  if (isDone) return;
  isDone = true;
  const product = tf.getKernel('BatchMatMul', 'wasm');
  const transpose = tf.getKernel('Transpose', 'wasm');
  const inOrder = (x: tf.TensorInfo, isTransposed: boolean, backend: object): tf.TensorInfo => {
    if (!isTransposed) return x;
    const rank = x.shape.length;
    const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return transpose.kernelFunc({ inputs: { x }, backend, attrs: { perm } }) as tf.TensorInfo;
  };
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    ...product,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const flags = attrs as { readonly transposeA: boolean; readonly transposeB: boolean };
      const a = inOrder(inputs['a']!, flags.transposeA, backend);
      const b = inOrder(inputs['b']!, flags.transposeB, backend);
      try {
        const plain = { transposeA: false, transposeB: false };
        return product.kernelFunc({ inputs: { a, b }, backend, attrs: plain });
      } finally {
        if (flags.transposeA) (backend as Backend).disposeData(a.dataId);
        if (flags.transposeB) (backend as Backend).disposeData(b.dataId);
      }
    },
  });
}
