import * as tf from '@tensorflow/tfjs-core';
import type { Snapshot } from '../../records.ts';
import type { Learner, LearnResult, Rows, Weight } from '../learner.ts';
import { copyFrom, Optimizer, type Parameter } from '../optimizer.ts';
import type { FloatArray, OutputHead } from '../output-head.ts';
import { scoped } from '../scoped.ts';
import { below, float64Array, withPrefix } from '../snapshot-parts.ts';
import type { TrainingOptions } from '../trainer.ts';
import { layersGradients } from './layers-gradients.ts';
import type { LayersNet, NetWeight } from './layers-net.ts';
import { withSeededRandom } from './seeded-random.ts';

export interface LayersOptions {
  readonly training: TrainingOptions;
  readonly seed: number;
}

/** A weight as an array, and the variable that holds the same. */
interface HeldWeight extends Parameter, NetWeight {
  readonly values: Float32Array;
}

/**
 * A LayersModel that runs op by op on the backend of this thread. The weights are arrays, to which the model's variables are set.
 * Dropout and noise follow from the seed and the number of steps, which is part of the state: a restored model draws the same.
 */
export class EagerLayersLearner implements Learner {
  readonly #head: OutputHead;
  readonly #net: LayersNet;
  readonly #weights: readonly HeldWeight[];
  readonly #optimizer: Optimizer;
  readonly #seed: number;
  #steps = 0;

  constructor(head: OutputHead, net: LayersNet, { training, seed }: LayersOptions) {
    this.#head = head;
    this.#net = net;
    this.#seed = seed;
    this.#weights = net.weights.map((weight) => ({ ...weight, values: readOf(weight) }));
    this.#optimizer = new Optimizer(training, this.#trained);
  }

  predict(rows: Rows): Float64Array {
    if (rows.rowCount === 0) return new Float64Array(0);
    return scoped(() => this.#head.predictions(rows, this.#predicted(this.#features(rows))));
  }

  learn(rows: Rows, labels: Float64Array): LearnResult {
    return scoped(() => {
      const features = this.#features(rows);
      const before = this.#net.traits.dependsOnTraining ? this.#predicted(features) : null;
      const { outputs, badRows, loss, gradients } = this.#pass(rows, features, labels);
      const applied = badRows.length === 0 && this.#apply(gradients);
      if (!applied) this.#assigned.forEach(write);
      return { predictions: this.#head.predictions(rows, before ?? outputs), loss, applied, badRows };
    });
  }

  weights(): readonly Weight[] {
    return this.#weights.map(({ name, shape, values }) => ({ name, shape, values: values.slice() }));
  }

  snapshot(): Snapshot {
    const weights = Object.fromEntries(this.#weights.map(({ name, values }) => [name, values.slice()]));
    return {
      json: {},
      arrays: {
        ...withPrefix('weights', weights),
        ...withPrefix('optimizer', this.#optimizer.snapshot()),
        ...(this.#net.traits.isRandom ? { random: Float64Array.of(this.#steps) } : {}),
      },
    };
  }

  restore({ arrays }: Snapshot): void {
    const weights = below('weights', arrays);
    for (const { name, values } of this.#weights) copyFrom(weights, name, values);
    this.#optimizer.restore(below('optimizer', arrays));
    // A graph, which draws nothing, counts no steps.
    if (arrays['random'] !== undefined) this.#steps = float64Array(arrays, 'random', 1)[0]!;
    scoped(() => {
      this.#weights.forEach(write);
    });
  }

  dispose(): void {
    this.#net.dispose();
  }

  get #trained(): readonly HeldWeight[] {
    return this.#weights.filter(({ isTrained }) => isTrained);
  }

  /** What a training pass assigns. */
  get #assigned(): readonly HeldWeight[] {
    return this.#weights.filter(({ isTrained }) => !isTrained);
  }

  #features({ rowCount, featureCount, features }: Rows): tf.Tensor {
    return tf.tensor(features.subarray(0, rowCount * featureCount), [rowCount, ...this.#net.rowShape]);
  }

  /** Raw outputs, nothing random. Reads them: waits for the device. */
  #predicted(features: tf.Tensor): FloatArray {
    return this.#net.outputs(features, false).dataSync<'float32'>();
  }

  #pass(rows: Rows, features: tf.Tensor, labels: Float64Array) {
    const ofHead: { outputs: FloatArray; badRows: Int32Array }[] = [];
    const { loss, gradients } = withSeededRandom(maskSeed(this.#seed, this.#steps), () =>
      layersGradients(this.#net, features, (raw) => {
        // Reads the outputs: waits for the device.
        const outputs = raw.dataSync<'float32'>();
        const { loss: mean, badRows, outputs: slopes } = this.#head.gradient(rows, outputs, labels);
        ofHead.push({ outputs, badRows });
        return { loss: tf.scalar(mean), slopes: tf.tensor2d(Float32Array.from(slopes), raw.shape) };
      }),
    );
    return { ...ofHead[0]!, loss: loss.dataSync<'float32'>()[0]!, gradients };
  }

  /** Takes the step; false where it is not finite, and then all arrays are as before. */
  #apply(gradients: Readonly<Record<string, tf.Tensor>>): boolean {
    const trained = this.#trained;
    // Reads the gradients: waits for the device. A weight on which the loss does not depend has none.
    const read = trained.map(
      ({ name, values }) => gradients[name]?.dataSync<'float32'>() ?? new Float32Array(values.length),
    );
    const averages = this.#assigned.map(readOf);
    if (!averages.every((values) => values.every(Number.isFinite)) || !this.#optimizer.apply(read)) return false;
    this.#assigned.forEach(({ values }, w) => {
      values.set(averages[w]!);
    });
    trained.forEach(write);
    this.#steps++;
    return true;
  }
}

function readOf({ variable }: NetWeight): Float32Array {
  return variable.dataSync<'float32'>().slice();
}

/** Sets the variable to the array; a copy, since some backends would go on using the array. */
function write({ variable, values, shape }: HeldWeight): void {
  variable.assign(tf.tensor(values.slice(), [...shape]));
}

/** Each step has a seed of its own, and each seed other steps. */
function maskSeed(seed: number, steps: number): number {
  return (Math.imul(seed, 0x9e3779b1) + steps) >>> 0;
}
