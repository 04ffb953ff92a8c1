import type { Snapshot } from '../records.ts';
import type { Learner, LearnResult, Rows, Weight } from './learner.ts';
import { copyFrom, Optimizer, type Parameter } from './optimizer.ts';
import type { OutputHead } from './output-head.ts';
import { below, withPrefix } from './snapshot-parts.ts';
import type { TrainingOptions } from './trainer.ts';

/**
 * Linear regression, or softmax regression for classes: outputs = features · kernel + bias, starting at zero.
 *
 * `kernel`: [featureCount, outputCount], `bias`: [outputCount]. Plain Float64 loops: faster at this size than any backend,
 * and predictions follow the textbook to the last digits.
 */
export class LinearLearner implements Learner {
  readonly #head: OutputHead;
  readonly #kernel: Float64Array;
  readonly #bias: Float64Array;
  readonly #parameters: readonly Parameter[];
  readonly #optimizer: Optimizer;

  constructor(featureCount: number, head: OutputHead, training: TrainingOptions) {
    const { outputCount } = head;
    this.#head = head;
    this.#kernel = new Float64Array(featureCount * outputCount);
    this.#bias = new Float64Array(outputCount);
    this.#parameters = [
      { name: 'kernel', shape: [featureCount, outputCount], values: this.#kernel },
      { name: 'bias', shape: [outputCount], values: this.#bias },
    ];
    this.#optimizer = new Optimizer(training, this.#parameters);
  }

  predict(rows: Rows): Float64Array {
    return this.#head.predictions(rows, this.#outputs(rows));
  }

  learn(rows: Rows, labels: Float64Array): LearnResult {
    const outputs = this.#outputs(rows);
    const predictions = this.#head.predictions(rows, outputs);
    const { loss, badRows, outputs: slopes } = this.#head.gradient(rows, outputs, labels);
    const applied = badRows.length === 0 && this.#optimizer.apply(this.#gradients(rows, slopes));
    return { predictions, loss, applied, badRows };
  }

  weights(): readonly Weight[] {
    return this.#parameters.map(({ name, shape, values }) => ({ name, shape, values: Float32Array.from(values) }));
  }

  snapshot(): Snapshot {
    const arrays = Object.fromEntries(this.#parameters.map(({ name, values }) => [name, values.slice()]));
    return {
      json: {},
      arrays: { ...withPrefix('weights', arrays), ...withPrefix('optimizer', this.#optimizer.snapshot()) },
    };
  }

  restore(snapshot: Snapshot): void {
    const weights = below('weights', snapshot.arrays);
    for (const { name, values } of this.#parameters) copyFrom(weights, name, values);
    this.#optimizer.restore(below('optimizer', snapshot.arrays));
  }

  dispose(): void {
    // Holds nothing outside the heap.
  }

  #outputs({ rowCount, featureCount, features }: Rows): Float64Array {
    const outputCount = this.#bias.length;
    const outputs = new Float64Array(rowCount * outputCount);
    for (let i = 0; i < rowCount; i++) {
      for (let k = 0; k < outputCount; k++) {
        let sum = this.#bias[k]!;
        for (let f = 0; f < featureCount; f++)
          sum += features[i * featureCount + f]! * this.#kernel[f * outputCount + k]!;
        outputs[i * outputCount + k] = sum;
      }
    }
    return outputs;
  }

  /** `slopes`: d loss / d output, [rowCount × outputCount]. */
  #gradients({ rowCount, featureCount, features }: Rows, slopes: Float64Array): readonly Float64Array[] {
    const outputCount = this.#bias.length;
    const kernel = new Float64Array(this.#kernel.length);
    const bias = new Float64Array(outputCount);
    for (let i = 0; i < rowCount; i++) {
      for (let k = 0; k < outputCount; k++) {
        const slope = slopes[i * outputCount + k]!;
        bias[k] = bias[k]! + slope;
        for (let f = 0; f < featureCount; f++) {
          kernel[f * outputCount + k] = kernel[f * outputCount + k]! + slope * features[i * featureCount + f]!;
        }
      }
    }
    return [kernel, bias];
  }
}
