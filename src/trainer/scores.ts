import type { Metrics } from '../records.ts';
import { float64Array, type Arrays } from './snapshot-parts.ts';

/** Running scores of predictions against labels; undefined scores are null. */
export interface Scores {
  /** Takes row `rowIndex` in. `predictions`: [rows × outputCount]. */
  add(label: number, predictions: Float64Array, rowIndex: number): void;
  metrics(): Metrics;
  snapshot(): Arrays;
  restore(arrays: Arrays): void;
}

/**
 * The factor by which earlier rows fade with each new one, so that their weights add up to `memoryRows`: 1 − 1/memoryRows.
 * Exponential fading of prequential scores: Gama, Sebastião & Rodrigues 2013, "On evaluating stream learning algorithms".
 */
export function fadingFactor(memoryRows: number): number {
  return 1 - 1 / memoryRows;
}

/**
 * `mae`, `rmse` and `r2` = 1 − Σ(label − prediction)² / Σ(label − mean label)², in original units; weights fade by `factor`
 * with each row (1: never). The spread of the labels is kept by weighted incremental moments (West 1979).
 */
export class RegressionScores implements Scores {
  readonly #factor: number;
  #weight = 0;
  #absolute = 0;
  #squared = 0;
  #mean = 0;
  #m2 = 0;

  constructor(factor: number) {
    this.#factor = factor;
  }

  add(label: number, predictions: Float64Array, rowIndex: number): void {
    const error = label - predictions[rowIndex]!;
    const earlier = this.#factor * this.#weight;
    this.#weight = earlier + 1;
    this.#absolute = this.#factor * this.#absolute + Math.abs(error);
    this.#squared = this.#factor * this.#squared + error * error;
    const delta = label - this.#mean;
    this.#mean += delta / this.#weight;
    this.#m2 = this.#factor * this.#m2 + delta * delta * (earlier / this.#weight);
  }

  metrics(): Metrics {
    if (this.#weight === 0) return { mae: null, rmse: null, r2: null };
    return {
      mae: this.#absolute / this.#weight,
      rmse: Math.sqrt(this.#squared / this.#weight),
      r2: this.#m2 > 0 ? 1 - this.#squared / this.#m2 : null,
    };
  }

  snapshot(): Arrays {
    return { sums: Float64Array.of(this.#weight, this.#absolute, this.#squared, this.#mean, this.#m2) };
  }

  restore(arrays: Arrays): void {
    const sums = float64Array(arrays, 'sums', 5);
    this.#weight = sums[0]!;
    this.#absolute = sums[1]!;
    this.#squared = sums[2]!;
    this.#mean = sums[3]!;
    this.#m2 = sums[4]!;
  }
}

const smallestProbability = 1e-15;
/** Above this the growing weights are brought back to 1; far from the largest double. */
const largestWeight = 1e100;

/**
 * `accuracy`, `logLoss` (nats, probabilities clipped at 1e-15), `macroF1` (over the classes that were labelled or predicted)
 * and Cohen's `kappa`. A row without a known class is wrong, and counts as a prediction of no class.
 *
 * Fading gives each row 1/factor times the weight of the one before, which is the same as fading all earlier ones.
 */
export class ClassificationScores implements Scores {
  readonly #growth: number;
  readonly #classes: number;
  /** [label, predicted], the last column for no class. */
  readonly #confusion: Float64Array;
  /** Weight of the next row, total weight, weighted log loss. */
  readonly #sums = Float64Array.of(1, 0, 0);

  constructor(factor: number, maxClasses: number) {
    this.#growth = 1 / factor;
    this.#classes = maxClasses;
    this.#confusion = new Float64Array(maxClasses * (maxClasses + 1));
  }

  add(label: number, predictions: Float64Array, rowIndex: number): void {
    const weight = this.#sums[0]!;
    const probability = predictions[rowIndex * this.#classes + label]!;
    const cell = label * (this.#classes + 1) + this.#likeliest(predictions, rowIndex);
    this.#confusion[cell] = this.#confusion[cell]! + weight;
    this.#sums[1] = this.#sums[1]! + weight;
    this.#sums[2] = this.#sums[2]! - weight * Math.log(Math.max(probability, smallestProbability));
    this.#sums[0] = weight * this.#growth;
    if (this.#sums[0] > largestWeight) this.#rescale();
  }

  metrics(): Metrics {
    const [total, logLoss] = [this.#sums[1]!, this.#sums[2]!];
    if (total === 0) return { accuracy: null, logLoss: null, macroF1: null, kappa: null };
    let hits = 0;
    let byChance = 0;
    let f1Sum = 0;
    let f1Classes = 0;
    for (let c = 0; c < this.#classes; c++) {
      const { hit, labelled, predicted } = this.#marginals(c);
      hits += hit;
      byChance += (labelled / total) * (predicted / total);
      if (labelled + predicted === 0) continue;
      f1Sum += (2 * hit) / (labelled + predicted);
      f1Classes++;
    }
    const accuracy = hits / total;
    return {
      accuracy,
      logLoss: logLoss / total,
      macroF1: f1Sum / f1Classes,
      kappa: byChance < 1 ? (accuracy - byChance) / (1 - byChance) : null,
    };
  }

  snapshot(): Arrays {
    return { confusion: this.#confusion.slice(), sums: this.#sums.slice() };
  }

  restore(arrays: Arrays): void {
    this.#confusion.set(float64Array(arrays, 'confusion', this.#confusion.length));
    this.#sums.set(float64Array(arrays, 'sums', 3));
  }

  /** The class of the greatest probability, of equals the first; the number of classes where all are 0. */
  #likeliest(predictions: Float64Array, rowIndex: number): number {
    let best = this.#classes;
    let bestProbability = 0;
    for (let c = 0; c < this.#classes; c++) {
      const probability = predictions[rowIndex * this.#classes + c]!;
      if (probability > bestProbability) {
        best = c;
        bestProbability = probability;
      }
    }
    return best;
  }

  #marginals(c: number): { hit: number; labelled: number; predicted: number } {
    const columns = this.#classes + 1;
    let labelled = 0;
    let predicted = 0;
    for (let k = 0; k < columns; k++) labelled += this.#confusion[c * columns + k]!;
    for (let k = 0; k < this.#classes; k++) predicted += this.#confusion[k * columns + c]!;
    return { hit: this.#confusion[c * columns + c]!, labelled, predicted };
  }

  #rescale(): void {
    const scale = 1 / this.#sums[0]!;
    for (let i = 0; i < this.#confusion.length; i++) this.#confusion[i] = this.#confusion[i]! * scale;
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i] = this.#sums[i]! * scale;
  }
}
