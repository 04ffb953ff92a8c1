import type { Rows } from './learner.ts';
import { float64Array, type Arrays } from './snapshot-parts.ts';
import type { TargetFacts } from './target-facts.ts';

/** Count, mean and summed squared deviations of a stream of numbers. */
interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
}

/** Beyond it nothing was measured, and squares that are summed would overflow. */
const largestValue = 1e100;

/**
 * Standardizes what is learned of regression targets: the labels, or with `change` their difference from the row's own target.
 *
 * Running moments by Welford (1962); the variance is M2/n, and a zero variance scales by 1. Labels beyond ±1e100 cannot be
 * learned.
 */
export class TargetScale implements TargetFacts {
  readonly #isChange: boolean;
  #current: Moments = { count: 0, mean: 0, m2: 0 };
  #next: Moments = this.#current;

  constructor(targetAs: 'value' | 'change') {
    this.#isChange = targetAs === 'change';
  }

  /** Mean of what was learned so far; 0 while nothing was. */
  get mean(): number {
    return this.#current.mean;
  }

  /** Standard deviation of what was learned so far; 1 where it is 0. */
  get deviation(): number {
    return deviationOf(this.#current);
  }

  /** What is taken off a label before it is learned and added to a prediction: the row's own target, or 0. */
  base(rows: Rows, rowIndex: number): number {
    return this.#isChange ? rows.ownTargets[rowIndex]! : 0;
  }

  /** Labels in standard units of the staged moments, [rowCount]. */
  standardizedLabels(rows: Rows, labels: Float64Array): Float64Array {
    const { mean } = this.#next;
    const deviation = deviationOf(this.#next);
    const { rowCount } = rows;
    const standardized = new Float64Array(rowCount);
    for (let i = 0; i < rowCount; i++) standardized[i] = (labels[i]! - this.base(rows, i) - mean) / deviation;
    return standardized;
  }

  /** Outputs in standard units of the current moments back in original units, [rowCount]. */
  originalUnits(rows: Rows, outputs: Float64Array | Float32Array): Float64Array {
    const { mean, deviation } = this;
    const { rowCount } = rows;
    const original = new Float64Array(rowCount);
    for (let i = 0; i < rowCount; i++) original[i] = outputs[i]! * deviation + mean + this.base(rows, i);
    return original;
  }

  stage(rows: Rows, labels: Float64Array): number[] {
    const unlearnable: number[] = [];
    const { rowCount } = rows;
    let { count, mean, m2 } = this.#current;
    for (let i = 0; i < rowCount; i++) {
      const value = labels[i]! - this.base(rows, i);
      if (!(Math.abs(value) <= largestValue)) {
        unlearnable.push(i);
        continue;
      }
      const delta = value - mean;
      mean += delta / ++count;
      m2 += delta * (value - mean);
    }
    this.#next = { count, mean, m2 };
    return unlearnable;
  }

  commit(): void {
    this.#current = this.#next;
  }

  snapshot(): Arrays {
    const { count, mean, m2 } = this.#current;
    return { moments: Float64Array.of(count, mean, m2) };
  }

  restore(arrays: Arrays): void {
    const moments = float64Array(arrays, 'moments', 3);
    this.#current = { count: moments[0]!, mean: moments[1]!, m2: moments[2]! };
    this.#next = this.#current;
  }
}

function deviationOf({ count, m2 }: Moments): number {
  return m2 > 0 ? Math.sqrt(m2 / count) : 1;
}
