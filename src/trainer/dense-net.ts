import * as tf from '@tensorflow/tfjs-core';
import { uniformNumbers } from './random.ts';
import type { LearnerSpec } from './trainer.ts';

export type MlpSpec = Extract<LearnerSpec, { kind: 'mlp' }>;

/** A parameter of a fully connected net, named `dense0/kernel` ([inputCount, outputCount]), `dense0/bias`, and so on. */
export interface DenseParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/**
 * The parameters that a net starts with, kernel and bias of each layer in turn.
 *
 * Hidden kernels are uniform within ±√(6 / inputs) under relu (He et al. 2015), within ±√(6 / (inputs + outputs)) otherwise
 * (Glorot & Bengio 2010), biases and the output kernel zero: the net begins by predicting the mean, since its first
 * predictions count too. Nothing else is random.
 */
export function denseParameters(
  spec: MlpSpec,
  featureCount: number,
  outputCount: number,
  seed: number,
): readonly DenseParameter[] {
  const widths = [featureCount, ...spec.hidden, outputCount];
  const random = uniformNumbers(seed);
  return widths.slice(1).flatMap((outputs, l) => {
    const inputs = widths[l]!;
    const isOutput = l === spec.hidden.length;
    const limit = isOutput ? 0 : Math.sqrt(6 / (spec.activation === 'relu' ? inputs : inputs + outputs));
    const kernel = Float32Array.from({ length: inputs * outputs }, () => limit * (2 * random() - 1));
    return [
      { name: `dense${l}/kernel`, shape: [inputs, outputs], values: kernel },
      { name: `dense${l}/bias`, shape: [outputs], values: new Float32Array(outputs) },
    ];
  });
}

/** Kernels, the input of each layer, and the raw outputs [rowCount, outputCount]. */
export interface ForwardPass {
  readonly kernels: readonly tf.Tensor2D[];
  readonly inputs: readonly tf.Tensor2D[];
  readonly outputs: tf.Tensor2D;
}

/** From features [rowCount, featureCount] to the raw outputs. `parameters`: kernel and bias of each layer in turn. */
export function forward(
  activation: MlpSpec['activation'],
  features: tf.Tensor2D,
  parameters: readonly tf.Tensor[],
): ForwardPass {
  const kernels: tf.Tensor2D[] = [];
  const inputs: tf.Tensor2D[] = [];
  let signal = features;
  for (let p = 0; p < parameters.length; p += 2) {
    const kernel = parameters[p]! as tf.Tensor2D;
    kernels.push(kernel);
    inputs.push(signal);
    signal = tf.add(tf.matMul(signal, kernel), parameters[p + 1]!);
    if (p + 2 < parameters.length) signal = activate(activation, signal);
  }
  return { kernels, inputs, outputs: signal };
}

/** The steps of a backward pass that engines do in different ways. */
export interface Backprop {
  /** d loss / d input of an activation, from d loss / d output and its output. */
  throughActivation(activation: MlpSpec['activation'], slope: tf.Tensor2D, output: tf.Tensor2D): tf.Tensor2D;
  /** The gradient of a bias: the sum over the rows, [outputCount]. */
  bias(slope: tf.Tensor2D): tf.Tensor;
}

/** By the ops of TensorFlow.js, for every backend. */
export const portableBackprop: Backprop = {
  throughActivation: (activation, slope, output) => tf.mul(slope, slopeOf(activation, output)),
  bias: (slope) => tf.sum(slope, 0),
};

/**
 * Gradients in the order of the parameters, without that of the last bias. `slopes`: d loss / d output. Both passes are written out,
 * since they are short and a recorded tape costs more than the kernels of a small net.
 */
export function backward(
  activation: MlpSpec['activation'],
  { kernels, inputs }: ForwardPass,
  slopes: tf.Tensor2D,
  backprop: Backprop,
): readonly tf.Tensor[] {
  const gradients: tf.Tensor[] = [];
  let slope = slopes;
  for (let l = kernels.length - 1; l >= 0; l--) {
    gradients.unshift(tf.matMul(inputs[l]!, slope, true, false));
    if (l === 0) break;
    const toInput = tf.matMul(slope, kernels[l]!, false, true);
    slope = backprop.throughActivation(activation, toInput as tf.Tensor2D, inputs[l]!);
    gradients.unshift(backprop.bias(slope));
  }
  return gradients;
}

function activate(activation: MlpSpec['activation'], signal: tf.Tensor2D): tf.Tensor2D {
  switch (activation) {
    case 'relu':
      return tf.relu(signal);
    case 'tanh':
      return tf.tanh(signal);
    case 'sigmoid':
      return tf.sigmoid(signal);
  }
}

/** The slope of an activation, from its value. */
function slopeOf(activation: MlpSpec['activation'], value: tf.Tensor2D): tf.Tensor2D {
  switch (activation) {
    case 'relu':
      return tf.step(value);
    case 'tanh':
      return tf.sub(1, tf.square(value));
    case 'sigmoid':
      return tf.mul(value, tf.sub(1, value));
  }
}
