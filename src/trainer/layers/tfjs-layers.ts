import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

/**
 * TensorFlow.js's layers, which also register the gradients of all ops. The package is CommonJS with names that Node cannot see.
 *
 * It calls some ops as methods of tensors (the orthogonal initializer, with which recurrent layers start), for which TensorFlow.js has
 * a module that Node cannot load.
 */
export const tfjsLayers = createRequire(import.meta.url)('@tensorflow/tfjs-layers') as typeof Layers;

type Op = (x: tf.Tensor, ...rest: never[]) => tf.Tensor;
const { stridedSlice, sign, transpose, reshape, slice, squeeze, expandDims, gather } = tf;
const flatten = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [x.size]);

for (const [name, op] of Object.entries<Op>({
  ...{ flatten, stridedSlice, sign, transpose, reshape, slice, squeeze, expandDims, gather },
})) {
  Object.defineProperty(tf.Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(this: tf.Tensor, ...rest: never[]) {
      return op(this, ...rest);
    },
  });
}
