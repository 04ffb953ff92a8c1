import type { KnownClasses } from './known-classes.ts';
import type { Rows } from './learner.ts';
import { regressionLoss, type LossOptions } from './regression-loss.ts';
import { TargetScale } from './target-scale.ts';

/** A float array of any width. */
export type FloatArray = Float32Array | Float64Array;

/** Loss of a batch and how it changes with the raw outputs. */
export interface HeadGradient {
  /** Mean over the rows. */
  readonly loss: number;
  /** Rows whose own loss is not finite. */
  readonly badRows: Int32Array;
  /** d loss / d output, [rowCount × outputCount]. */
  readonly outputs: Float64Array;
}

/** What turns the raw outputs of a model into predictions and, with labels, into a loss and its gradient. */
export interface OutputHead {
  readonly outputCount: number;
  /** [rowCount × outputCount], with the facts before the batch. */
  predictions(rows: Rows, outputs: FloatArray): Float64Array;
  /** With the facts staged by the batch. */
  gradient(rows: Rows, outputs: FloatArray, labels: Float64Array): HeadGradient;
}

/** The head that the facts of the targets are for. `maxClasses` is for classes, `loss` for regression only. */
export function outputHead(facts: TargetScale | KnownClasses, maxClasses: number, loss: LossOptions): OutputHead {
  return facts instanceof TargetScale ? regressionHead(facts, loss) : classificationHead(facts, maxClasses);
}

/** One standardized output; the loss is the mean over the rows. */
export function regressionHead(scale: TargetScale, options: LossOptions): OutputHead {
  const { cost, slope } = regressionLoss(options);
  return {
    outputCount: 1,
    predictions: (rows, outputs) => scale.originalUnits(rows, outputs),
    gradient: (rows, outputs, labels) => {
      const wanted = scale.standardizedLabels(rows, labels);
      const gradients = new Float64Array(rows.rowCount);
      const badRows: number[] = [];
      let sum = 0;
      for (let i = 0; i < rows.rowCount; i++) {
        const error = outputs[i]! - wanted[i]!;
        const ofRow = cost(error);
        if (!Number.isFinite(ofRow)) badRows.push(i);
        gradients[i] = slope(error) / rows.rowCount;
        sum += ofRow;
      }
      return { loss: sum / rows.rowCount, badRows: Int32Array.from(badRows), outputs: gradients };
    },
  };
}

/**
 * `maxClasses` outputs under a softmax over the known classes only; the loss is the mean cross-entropy in nats.
 * A class not yet known has probability 0.
 */
export function classificationHead(classes: KnownClasses, maxClasses: number): OutputHead {
  return {
    outputCount: maxClasses,
    predictions: (rows, outputs) => {
      const probabilities = new Float64Array(rows.rowCount * maxClasses);
      for (let i = 0; i < rows.rowCount; i++) softmax(outputs, i * maxClasses, classes.current, probabilities);
      return probabilities;
    },
    gradient: (rows, outputs, labels) => {
      const gradients = new Float64Array(rows.rowCount * maxClasses);
      const badRows: number[] = [];
      let sum = 0;
      for (let i = 0; i < rows.rowCount; i++) {
        const start = i * maxClasses;
        const labelIndex = start + labels[i]!;
        const loss = softmax(outputs, start, classes.next, gradients) - outputs[labelIndex]!;
        if (!Number.isFinite(loss)) badRows.push(i);
        gradients[labelIndex] = gradients[labelIndex]! - 1;
        for (let k = start; k < start + classes.next; k++) gradients[k] = gradients[k]! / rows.rowCount;
        sum += loss;
      }
      return { loss: sum / rows.rowCount, badRows: Int32Array.from(badRows), outputs: gradients };
    },
  };
}

/** Writes the softmax of `count` outputs from `start` on and returns the logarithm of the sum of their exponentials. */
function softmax(outputs: FloatArray, start: number, count: number, probabilities: Float64Array): number {
  let largest = -Infinity;
  for (let k = start; k < start + count; k++) largest = Math.max(largest, outputs[k]!);
  let sum = 0;
  for (let k = start; k < start + count; k++) sum += probabilities[k] = Math.exp(outputs[k]! - largest);
  for (let k = start; k < start + count; k++) probabilities[k] = probabilities[k]! / sum;
  return largest + Math.log(sum);
}
