import * as tf from '@tensorflow/tfjs-core';
import type { Backprop } from './dense-net.ts';
import { dataTypes, type NodeBackend } from './graph/addon.ts';
import { withAddonOps } from './graph/addon-ops.ts';

const gradientOps = { relu: 'ReluGrad', tanh: 'TanhGrad', sigmoid: 'SigmoidGrad' } as const;

/** By TensorFlow's own gradient ops, one pass over memory each. */
export const graphBackprop: Backprop = {
  throughActivation: (activation, slope, output) => {
    // relu's takes them in another order.
    const inputs = activation === 'relu' ? [slope, output] : [output, slope];
    return run(gradientOps[activation], inputs) as tf.Tensor2D;
  },
  bias: (slope) => run('BiasAddGrad', [slope]),
};

function run(op: string, inputs: readonly tf.Tensor[]): tf.Tensor {
  const { result } = withAddonOps(tf.backend() as unknown as NodeBackend, (ops) => ({
    result: ops.op(
      op,
      [ops.type('T', dataTypes.float32)],
      inputs.map((input) => ops.raw(input)),
    ),
  }));
  return result;
}
