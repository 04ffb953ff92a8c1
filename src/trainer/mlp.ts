import type { Snapshot } from '../records.ts';
import type { DenseEngine, DenseInputs } from './dense-engine.ts';
import { denseParameters, type DenseParameter, type MlpSpec } from './dense-net.ts';
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
 * The engine runs its passes; the weights are plain arrays, so a state moves between engines.
 */
export class MlpLearner implements Learner {
  readonly #head: OutputHead;
  readonly #engine: DenseEngine;
  readonly #activation: MlpSpec['activation'];
  readonly #parameters: readonly DenseParameter[];
  readonly #optimizer: Optimizer;

  constructor(head: OutputHead, engine: DenseEngine, { featureCount, spec, training, seed }: MlpOptions) {
    this.#head = head;
    this.#engine = engine;
    this.#activation = spec.activation;
    this.#parameters = denseParameters(spec, featureCount, head.outputCount, seed);
    this.#optimizer = new Optimizer(training, this.#parameters);
  }

  predict(rows: Rows): Float64Array {
    if (rows.rowCount === 0) return new Float64Array(0);
    return this.#engine.pass(this.#inputs(rows), (outputs) => this.#head.predictions(rows, outputs));
  }

  learn(rows: Rows, labels: Float64Array): LearnResult {
    return this.#engine.pass(this.#inputs(rows), (outputs, backwardPass) => {
      const predictions = this.#head.predictions(rows, outputs);
      const { loss, badRows, outputs: slopes } = this.#head.gradient(rows, outputs, labels);
      if (badRows.length > 0) return { predictions, loss, applied: false, badRows };
      const gradients = backwardPass(Float32Array.from(slopes));
      const applied = this.#optimizer.apply([...gradients, columnSums(slopes, this.#head.outputCount)]);
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

  #inputs({ rowCount, featureCount, features }: Rows): DenseInputs {
    return {
      activation: this.#activation,
      parameters: this.#parameters,
      rowCount,
      features: features.subarray(0, rowCount * featureCount),
    };
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
