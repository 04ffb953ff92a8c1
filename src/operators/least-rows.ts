import { fmix32 } from '../fmix32.ts';

/** A row on which versions of a model are compared. */
export interface TrialRow {
  /** Unsigned 32-bit integer; the least stay. */
  readonly priority: number;
  readonly keyId: number;
  /** The row's own target where it is not the label itself, else NaN. */
  readonly ownTarget: number;
  readonly label: number;
  /** [featureCount], original units. */
  readonly features: Float64Array;
}

/** One more than the greatest priority. */
export const anyPriority = 2 ** 32;

/** Priorities of records, which depend on where they stand in the stream alone and are spread evenly. */
export class Priorities {
  #partition = -1;
  /** ⌊offset / 2³²⌋ of the latest record, and what it and the partition hash to. */
  #high = -1;
  #prefix = 0;

  of(partition: number, offset: number): number {
    const high = Math.floor(offset / anyPriority);
    if (high !== this.#high || partition !== this.#partition) {
      this.#high = high;
      this.#partition = partition;
      this.#prefix = fmix32(partition ^ fmix32(high));
    }
    return fmix32(this.#prefix ^ offset);
  }
}

/** Keeps at least the `limit` rows of least priority: a random sample of all that were shown (bottom-k, Cohen and Kaplan 2007). */
export class LeastRows {
  readonly #limit: number;
  #rows: TrialRow[] = [];
  #threshold = anyPriority;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Rows from this priority on need not be shown. */
  get threshold(): number {
    return this.#threshold;
  }

  add(row: TrialRow): void {
    if (row.priority >= this.#threshold) return;
    this.#rows.push(row);
    if (this.#rows.length < 2 * this.#limit) return;
    this.#threshold = thresholdOf(this.#rows, this.#limit);
    this.#rows = this.#rows.filter(({ priority }) => priority < this.#threshold);
  }

  /** Hands the sample over in the order in which the rows were shown, and starts anew. */
  take(): readonly TrialRow[] {
    const taken = least(this.#rows, this.#limit);
    this.#rows = [];
    this.#threshold = anyPriority;
    return taken;
  }
}

/** The `limit` rows of least priority, in their order. */
export function least(rows: readonly TrialRow[], limit: number): readonly TrialRow[] {
  if (rows.length <= limit) return rows;
  const threshold = thresholdOf(rows, limit);
  return rows.filter(({ priority }) => priority < threshold);
}

function thresholdOf(rows: readonly TrialRow[], limit: number): number {
  return Uint32Array.from(rows, ({ priority }) => priority).sort()[limit]!;
}
