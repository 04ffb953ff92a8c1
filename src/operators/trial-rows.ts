import type { LabelledRows, RowBlock, Snapshot, TrialSlices } from '../records.ts';
import { least, LeastRows, Priorities, type TrialRow } from './least-rows.ts';
import { arrayOf } from './snapshot-parts.ts';
import { WaitingRows } from './waiting-rows.ts';

export interface TrialRowsOptions {
  readonly featureCount: number;
  /** Null: the label of a row is its own target. */
  readonly horizonMs: number | null;
  readonly toleranceMs: number;
  /** Labelled rows kept, half recent and half of before (half as many more where intervals are short); as many may wait for their label. */
  readonly rows: number;
  /** Intervals between barriers of which rows are kept. */
  readonly memory: number;
}

/**
 * A bounded sample of rows with their labels, before normalization, on which versions of a model are compared: up to half
 * of `rows` from the newest interval between two barriers (or of the newest few where they are short), and an equal share of the other half
 * from each of the `memory` intervals before. So it reaches equally far back in checkpoints at any rate of the stream.
 *
 * Rows are chosen by a hash of where they stand in the stream, the least ones staying, so that every row has the same chance,
 * no period of the stream can be met, and a replay chooses the same. A row labels at most one waiting row of its key, the
 * nearest in the sample to `t + horizon` within the tolerance.
 */
export class TrialRows {
  readonly #options: TrialRowsOptions;
  readonly #waiting: WaitingRows;
  readonly #current: LeastRows;
  readonly #priorities = new Priorities();
  /** Oldest first. */
  #intervals: (readonly TrialRow[])[] = [];

  constructor(options: TrialRowsOptions) {
    this.#options = options;
    this.#waiting = new WaitingRows(options);
    this.#current = new LeastRows(this.#newestLimit);
  }

  /** Looks at each row of a block, in order; copies what it keeps. */
  learn(block: RowBlock): void {
    const { rowCount, featureCount, features, targets, offsets, partition, keyIds } = block;
    if (this.#options.horizonMs !== null) {
      this.#waiting.learn(block, this.#current);
      return;
    }
    if (!block.isScored) return;
    let { threshold } = this.#current;
    for (let row = 0; row < rowCount; row += 1) {
      const priority = this.#priorities.of(partition, offsets[row]!);
      if (priority >= threshold) continue;
      this.#current.add({
        priority,
        keyId: keyIds[row]!,
        ownTarget: Number.NaN,
        label: targets[row]!,
        features: features.slice(row * featureCount, (row + 1) * featureCount),
      });
      threshold = this.#current.threshold;
    }
  }

  /** Ends the interval. One without a label is none. */
  endInterval(): void {
    this.#waiting.widen();
    const rows = this.#current.take();
    if (rows.length > 0) this.#keep([...this.#intervals, rows]);
  }

  /** At a barrier, when the interval has ended. */
  snapshot(): Snapshot {
    const rows = this.#intervals.flat();
    return {
      json: {},
      arrays: {
        ...columnsOf(rows, this.#options.featureCount),
        priorities: Uint32Array.from(rows, ({ priority }) => priority),
        intervalRows: Int32Array.from(this.#intervals, ({ length }) => length),
        ...this.#waiting.snapshot(),
      },
    };
  }

  /** Only into an empty one of the same features. */
  restore(snapshot: Snapshot): void {
    const { featureCount } = this.#options;
    const { features, ownTargets, keyIds, labels } = rowsOf(snapshot);
    const priorities = arrayOf(snapshot, 'priorities', Uint32Array);
    const rows = [...priorities].map((priority, row) => ({
      priority,
      keyId: keyIds[row]!,
      ownTarget: ownTargets[row]!,
      label: labels[row]!,
      features: features.slice(row * featureCount, (row + 1) * featureCount),
    }));
    let start = 0;
    const intervals = [...arrayOf(snapshot, 'intervalRows', Int32Array)].map((length) => {
      start += length;
      return rows.slice(start - length, start);
    });
    this.#keep(intervals);
    this.#waiting.restore(snapshot);
  }

  /** Thins all intervals but the recent ones. */
  #keep(intervals: readonly (readonly TrialRow[])[]): void {
    const { rows, memory } = this.#options;
    const recent = recentIntervals(
      intervals.map(({ length }) => length),
      this.#newestLimit,
    );
    const share = Math.ceil(rows / 2 / memory);
    const past = intervals.slice(0, -recent).slice(-memory);
    this.#intervals = [...past.map((each) => least(each, share)), ...intervals.slice(-recent)];
  }

  get #newestLimit(): number {
    return Math.floor(this.#options.rows / 2);
  }
}

/** How many of the newest intervals it takes to have so many rows; all of them where that is not enough, at least 1. */
function recentIntervals(lengths: readonly number[], rows: number): number {
  let count = 0;
  for (let taken = 0; taken < rows && count < lengths.length; count += 1) taken += lengths[lengths.length - 1 - count]!;
  return Math.max(1, count);
}

/** The rows of a snapshot, recent ones apart from those before. `rows` as in the options. */
export function trialSlices(snapshot: Snapshot, rows: number): TrialSlices {
  const lengths = [...arrayOf(snapshot, 'intervalRows', Int32Array)];
  const all = rowsOf(snapshot);
  const recent = lengths
    .slice(-recentIntervals(lengths, Math.floor(rows / 2)))
    .reduce((sum, length) => sum + length, 0);
  const start = all.rowCount - recent;
  return { recent: part(all, start, all.rowCount), past: part(all, 0, start) };
}

function rowsOf(snapshot: Snapshot): LabelledRows {
  const labels = arrayOf(snapshot, 'labels', Float64Array);
  return {
    rowCount: labels.length,
    features: arrayOf(snapshot, 'features', Float64Array),
    ownTargets: arrayOf(snapshot, 'ownTargets', Float64Array),
    keyIds: arrayOf(snapshot, 'keyIds', Int32Array),
    labels,
  };
}

function part(
  { rowCount, features, ownTargets, keyIds, labels }: LabelledRows,
  from: number,
  to: number,
): LabelledRows {
  const width = rowCount === 0 ? 0 : features.length / rowCount;
  return {
    rowCount: to - from,
    features: features.subarray(from * width, to * width),
    ownTargets: ownTargets.subarray(from, to),
    keyIds: keyIds.subarray(from, to),
    labels: labels.subarray(from, to),
  };
}

function columnsOf(rows: readonly TrialRow[], featureCount: number): Omit<LabelledRows, 'rowCount'> {
  const features = new Float64Array(rows.length * featureCount);
  for (const [row, each] of rows.entries()) features.set(each.features, row * featureCount);
  return {
    features,
    ownTargets: Float64Array.from(rows, ({ ownTarget }) => ownTarget),
    keyIds: Int32Array.from(rows, ({ keyId }) => keyId),
    labels: Float64Array.from(rows, ({ label }) => label),
  };
}
