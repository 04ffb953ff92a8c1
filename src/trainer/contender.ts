import type { ModelReport, Snapshot, TypedArray } from '../records.ts';
import type { Learner, LearnResult, Rows, Weight } from './learner.ts';
import { pickRows, type RowTable } from './row-table.ts';
import type { Scores } from './scores.ts';
import { below, float64Array, withPrefix, type Arrays } from './snapshot-parts.ts';

export interface ContenderOptions {
  /** Name in snapshots: `models.NAME`, or `baseline`. */
  readonly path: string;
  readonly kind: string;
  readonly learner: Learner;
  readonly total: Scores;
  readonly recent: Scores;
}

/** What became of the rows of one step. */
export interface LearnedRows {
  /** Of all rows, made before the step, [rowCount × outputCount]. */
  readonly predictions: Float64Array;
  /** Rows that were not learned: those with a loss of their own that is not finite, or all. Ascending. */
  readonly rejected: readonly number[];
}

/** A learner with its account: how well its predictions were, how many steps it took and which it withheld. */
export class Contender {
  readonly path: string;
  readonly #options: ContenderOptions;
  #scored = 0;
  #steps = 0;
  #withheld = 0;
  #loss = NaN;

  constructor(options: ContenderOptions) {
    this.path = options.path;
    this.#options = options;
  }

  get steps(): number {
    return this.#steps;
  }

  predict(rows: Rows): Float64Array {
    return this.#options.learner.predict(rows);
  }

  /** One step over the rows; where it is not finite, one more without the rows that spoil it, announced to `retry`. */
  learn(rows: RowTable, retry: (remaining: RowTable) => void): LearnedRows {
    const first = this.#step(rows);
    const { predictions } = first;
    if (first.applied) return { predictions, rejected: [] };
    const bad = new Set(first.badRows);
    const all = Array.from({ length: rows.rowCount }, (_, i) => i);
    if (bad.size > 0 && bad.size < rows.rowCount) {
      const remaining = pickRows(
        rows,
        all.filter((i) => !bad.has(i)),
      );
      retry(remaining);
      if (this.#step(remaining).applied) {
        this.#withheld += bad.size;
        return { predictions, rejected: [...bad] };
      }
    }
    this.#withheld += rows.rowCount;
    return { predictions, rejected: all };
  }

  /** Scores predictions made before the labels were learned; a prediction that is not finite cannot be scored. */
  score(rows: RowTable, predictions: Float64Array): void {
    const { total, recent } = this.#options;
    const { rowCount, isScored, labels } = rows;
    const width = rowCount === 0 ? 0 : predictions.length / rowCount;
    for (let i = 0; i < rowCount; i++) {
      if (isScored[i] === 0 || !isFiniteRow(predictions, i, width)) continue;
      total.add(labels[i]!, predictions, i);
      recent.add(labels[i]!, predictions, i);
      this.#scored++;
    }
  }

  report(): ModelReport {
    const { kind, total, recent } = this.#options;
    return {
      kind,
      loss: Number.isNaN(this.#loss) ? null : this.#loss,
      metrics: total.metrics(),
      recent: recent.metrics(),
      scored: this.#scored,
      steps: this.#steps,
      withheld: this.#withheld,
    };
  }

  weights(): readonly Weight[] {
    return this.#options.learner.weights();
  }

  /** Arrays below the contender's path. */
  snapshot(): Record<string, TypedArray> {
    const { learner, total, recent } = this.#options;
    return withPrefix(this.path, {
      ...learner.snapshot().arrays,
      ...withPrefix('scores.total', total.snapshot()),
      ...withPrefix('scores.recent', recent.snapshot()),
      progress: Float64Array.of(this.#scored, this.#steps, this.#withheld, this.#loss),
    });
  }

  restore(snapshot: Snapshot): void {
    const arrays: Arrays = below(this.path, snapshot.arrays);
    const progress = float64Array(arrays, 'progress', 4);
    this.#options.learner.restore({ json: {}, arrays });
    this.#options.total.restore(below('scores.total', arrays));
    this.#options.recent.restore(below('scores.recent', arrays));
    this.#scored = progress[0]!;
    this.#steps = progress[1]!;
    this.#withheld = progress[2]!;
    this.#loss = progress[3]!;
  }

  dispose(): void {
    this.#options.learner.dispose();
  }

  #step(rows: RowTable): LearnResult {
    const result = this.#options.learner.learn(rows, rows.labels);
    if (result.applied) {
      this.#steps++;
      this.#loss = result.loss;
    }
    return result;
  }
}

function isFiniteRow(values: Float64Array, rowIndex: number, width: number): boolean {
  for (let k = rowIndex * width; k < (rowIndex + 1) * width; k++) if (!Number.isFinite(values[k])) return false;
  return true;
}
