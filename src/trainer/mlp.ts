import * as tf from '@tensorflow/tfjs-core';
import type { Snapshot } from '../records.ts';
import {
  backward,
  denseParameters,
  type DenseParameter,
  forward,
  type ForwardPass,
  type MlpSpec,
  portableBackprop,
} from './dense-net.ts';
import type { Learner, LearnResult, Rows, Weight } from './learner.ts';
import { copyFrom, Optimizer } from './optimizer.ts';
import type { OutputHead } from './output-head.ts';
import { below, withPrefix } from './snapshot-parts.ts';
import type { TrainingOptions } from './trainer.ts';

export interface MlpOptions {
  readonly featureCount: number;
  readonly spec: MlpSpec;
  readonly training: TrainingOptions;
  readonly seed: number;
}

/**
 * A multilayer perceptron: dense layers with an activation between them, weights `dense0/kernel`, `dense0/bias`, and so on.
 * Tensors live within one call on the backend of this thread; the weights are plain arrays.
 */
export class MlpLearner implements Learner {
  readonly #head: OutputHead;
  readonly #activation: MlpSpec['activation'];
  readonly #parameters: readonly DenseParameter[];
  readonly #optimizer: Optimizer;

  constructor(head: OutputHead, { featureCount, spec, training, seed }: MlpOptions) {
    this.#head = head;
    this.#activation = spec.activation;
    this.#parameters = denseParameters(spec, featureCount, head.outputCount, seed);
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
      const passed = this.#forward(rows);
      const { outputs } = passed;
      // Reads the outputs: waits for the device.
      const values = outputs.dataSync<'float32'>();
      const predictions = this.#head.predictions(rows, values);
      const { loss, badRows, outputs: slopes } = this.#head.gradient(rows, values, labels);
      if (badRows.length > 0) return { predictions, loss, applied: false, badRows };
      const slope = tf.tensor2d(Float32Array.from(slopes), outputs.shape);
      const gradients = backward(this.#activation, passed, slope, portableBackprop);
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

  #forward({ rowCount, featureCount, features }: Rows): ForwardPass {
    const signal = tf.tensor2d(features.subarray(0, rowCount * featureCount), [rowCount, featureCount]);
    const parameters = this.#parameters.map(({ values, shape }) => tf.tensor(values, [...shape]));
    return forward(this.#activation, signal, parameters);
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

/** Runs `work` and disposes of every tensor that it made. */
function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}
