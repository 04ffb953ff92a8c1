import * as tf from '@tensorflow/tfjs-core';
import type { Snapshot } from '../records.ts';
import type { Learner, LearnResult, Rows, Weight } from './learner.ts';
import { copyFrom, Optimizer } from './optimizer.ts';
import type { OutputHead } from './output-head.ts';
import { uniformNumbers } from './random.ts';
import { below, withPrefix } from './snapshot-parts.ts';
import type { LearnerSpec, TrainingOptions } from './trainer.ts';

export type MlpSpec = Extract<LearnerSpec, { kind: 'mlp' }>;

/** A fully connected layer. Kernel: [inputCount, outputCount], row-major. */
interface Layer {
  readonly inputCount: number;
  readonly outputCount: number;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

export interface MlpOptions {
  readonly featureCount: number;
  readonly spec: MlpSpec;
  readonly training: TrainingOptions;
  readonly seed: number;
}

/**
 * A multilayer perceptron: dense layers with an activation between them, weights `dense0/kernel`, `dense0/bias`, and so on.
 *
 * Hidden kernels start uniform within ±√(6 / inputs) under relu (He et al. 2015), within ±√(6 / (inputs + outputs)) otherwise
 * (Glorot & Bengio 2010), biases and the output kernel at zero: the net begins by predicting the mean, since its first
 * predictions count too. Nothing else is random. Tensors live within one call on the backend of this thread; the
 * weights are plain arrays. Both passes are written out, since they are short and a recorded tape costs more than the
 * kernels of a small net; a transposed operand is transposed first, because wasm multiplies such ones in a scalar loop.
 */
export class MlpLearner implements Learner {
  readonly #head: OutputHead;
  readonly #activation: MlpSpec['activation'];
  readonly #layers: readonly Layer[];
  readonly #parameters: readonly { name: string; shape: readonly number[]; values: Float32Array }[];
  readonly #optimizer: Optimizer;

  constructor(head: OutputHead, { featureCount, spec, training, seed }: MlpOptions) {
    const widths = [featureCount, ...spec.hidden, head.outputCount];
    const random = uniformNumbers(seed);
    this.#head = head;
    this.#activation = spec.activation;
    this.#layers = widths.slice(1).map((outputCount, l) => {
      const inputCount = widths[l]!;
      const isOutput = l === spec.hidden.length;
      const limit = isOutput ? 0 : Math.sqrt(6 / (spec.activation === 'relu' ? inputCount : inputCount + outputCount));
      const kernel = Float32Array.from({ length: inputCount * outputCount }, () => limit * (2 * random() - 1));
      return { inputCount, outputCount, kernel, bias: new Float32Array(outputCount) };
    });
    this.#parameters = this.#layers.flatMap(({ inputCount, outputCount, kernel, bias }, l) => [
      { name: `dense${l}/kernel`, shape: [inputCount, outputCount], values: kernel },
      { name: `dense${l}/bias`, shape: [outputCount], values: bias },
    ]);
    this.#optimizer = new Optimizer(training, this.#parameters);
  }

  predict(rows: Rows): Float64Array {
    if (rows.rowCount === 0) return new Float64Array(0);
    return scoped(() => {
      const { outputs } = this.#forward(rows);
      // Reads the outputs: waits for the device.
      return this.#head.predictions(rows, outputs.dataSync<'float32'>());
    });
  }

  learn(rows: Rows, labels: Float64Array): LearnResult {
    return scoped(() => {
      const { kernels, inputs, outputs } = this.#forward(rows);
      // Reads the outputs: waits for the device.
      const values = outputs.dataSync<'float32'>();
      const predictions = this.#head.predictions(rows, values);
      const { loss, badRows, outputs: slopes } = this.#head.gradient(rows, values, labels);
      if (badRows.length > 0) return { predictions, loss, applied: false, badRows };
      const gradients = this.#backward(kernels, inputs, tf.tensor2d(Float32Array.from(slopes), outputs.shape));
      // Reads the gradients: waits for the device.
      const read = gradients.map((gradient) => gradient.dataSync<'float32'>());
      const applied = this.#optimizer.apply([...read, columnSums(slopes, outputs.shape[1])]);
      return { predictions, loss, applied, badRows };
    });
  }

  weights(): readonly Weight[] {
    return this.#parameters.map(({ name, shape, values }) => ({ name, shape, values: values.slice() }));
  }

  snapshot(): Snapshot {
    const weights = Object.fromEntries(this.#parameters.map(({ name, values }) => [name, values.slice()]));
    return {
      json: {},
      arrays: { ...withPrefix('weights', weights), ...withPrefix('optimizer', this.#optimizer.snapshot()) },
    };
  }

  restore(snapshot: Snapshot): void {
    const weights = below('weights', snapshot.arrays);
    for (const { name, values } of this.#parameters) copyFrom(weights, name, values);
    this.#optimizer.restore(below('optimizer', snapshot.arrays));
  }

  dispose(): void {
    // Tensors live within a call only.
  }

  /** Kernels, the input of each layer, and the raw outputs [rowCount, outputCount]. */
  #forward({ rowCount, featureCount, features }: Rows): Passed {
    const kernels: tf.Tensor2D[] = [];
    const inputs: tf.Tensor2D[] = [];
    let signal = tf.tensor2d(features.subarray(0, rowCount * featureCount), [rowCount, featureCount]);
    this.#layers.forEach(({ inputCount, outputCount, kernel, bias }, l) => {
      kernels.push(tf.tensor2d(kernel, [inputCount, outputCount]));
      inputs.push(signal);
      signal = tf.add(tf.matMul(signal, kernels[l]!), tf.tensor1d(bias));
      if (l < this.#layers.length - 1) signal = activate(this.#activation, signal);
    });
    return { kernels, inputs, outputs: signal };
  }

  /** Gradients in the order of the parameters, without that of the last bias. `slopes`: d loss / d output. */
  #backward(kernels: readonly tf.Tensor2D[], inputs: readonly tf.Tensor2D[], slopes: tf.Tensor2D): tf.Tensor[] {
    const gradients: tf.Tensor[] = [];
    let slope = slopes;
    for (let l = this.#layers.length - 1; l >= 0; l--) {
      gradients.unshift(tf.matMul(tf.transpose(inputs[l]!), slope));
      if (l === 0) break;
      const toInput = tf.matMul(slope, tf.transpose(kernels[l]!));
      slope = tf.mul(toInput, slopeOf(this.#activation, inputs[l]!));
      gradients.unshift(tf.sum(slope, 0));
    }
    return gradients;
  }
}

/**
 * Gradient of the last bias, [outputCount]. Summed here in Float64: standardized labels nearly cancel in the first step, and
 * Adam would make a whole step of an engine's rounding.
 */
function columnSums(slopes: Float64Array, outputCount: number): Float64Array {
  const sums = new Float64Array(outputCount);
  for (let i = 0; i < slopes.length; i++) sums[i % outputCount] = sums[i % outputCount]! + slopes[i]!;
  return sums;
}

interface Passed {
  readonly kernels: readonly tf.Tensor2D[];
  readonly inputs: readonly tf.Tensor2D[];
  readonly outputs: tf.Tensor2D;
}

/** Runs `work` and disposes of every tensor that it made. */
function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
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
