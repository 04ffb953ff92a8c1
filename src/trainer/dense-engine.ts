import * as tf from '@tensorflow/tfjs-core';
import {
  backward,
  type DenseParameter,
  forward,
  type ForwardPass,
  type MlpSpec,
  portableBackprop,
} from './dense-net.ts';
import { scoped } from './scoped.ts';

/** What a forward pass needs. */
export interface DenseInputs {
  readonly activation: MlpSpec['activation'];
  /** Kernel and bias of each layer in turn. */
  readonly parameters: readonly DenseParameter[];
  readonly rowCount: number;
  /** [rowCount × featureCount], row-major. */
  readonly features: Float32Array;
}

/** `slopes`: d loss / d output, [rowCount × outputCount]. Gradients in the order of the parameters, without that of the last bias. */
export type BackwardPass = (slopes: Float32Array) => readonly Float32Array[];

/** What computes the two passes of a dense net. It holds no weights. */
export interface DenseEngine {
  /** Hands the raw outputs, [rowCount × outputCount], to `work`, with the way back, which ends with it. */
  pass<Result>(inputs: DenseInputs, work: (outputs: Float32Array, backwardPass: BackwardPass) => Result): Result;
}

/** TensorFlow.js in this thread, on the backend that is set. */
export const localEngine: DenseEngine = {
  pass: (inputs, work) =>
    scoped(() => {
      const passed = forwardPass(inputs);
      // Both reads wait for the device.
      return work(passed.outputs.dataSync<'float32'>(), (slopes) =>
        backwardPass(inputs.activation, passed, slopes).map((gradient) => gradient.dataSync<'float32'>()),
      );
    }),
};

/** From arrays to tensors, and forward. */
export function forwardPass({ activation, parameters, rowCount, features }: DenseInputs): ForwardPass {
  const signal = tf.tensor2d(features, [rowCount, features.length / rowCount]);
  return forward(
    activation,
    signal,
    parameters.map(({ values, shape }) => tf.tensor(values, [...shape])),
  );
}

/** And back. */
export function backwardPass(
  activation: MlpSpec['activation'],
  passed: ForwardPass,
  slopes: Float32Array,
): readonly tf.Tensor[] {
  return backward(activation, passed, tf.tensor2d(slopes, passed.outputs.shape), portableBackprop);
}
