import type { RowBlock, Snapshot } from '../records.ts';
import { anyPriority, Priorities, type LeastRows } from './least-rows.ts';
import { arrayOf } from './snapshot-parts.ts';

export interface WaitingRowsOptions {
  readonly featureCount: number;
  readonly horizonMs: number | null;
  readonly toleranceMs: number;
  /** Rows that wait at the most. */
  readonly rows: number;
}

interface WaitingRow {
  readonly priority: number;
  readonly timeMs: number;
  readonly ownTarget: number;
  readonly features: Float64Array;
}

/** A bounded sample of the rows that wait for a label that comes later at their key. */
export class WaitingRows {
  readonly #options: WaitingRowsOptions;
  readonly #horizonMs: number;
  /** By key id, in order of event time; a key without a row is not in it. */
  readonly #keys = new Map<number, WaitingRow[]>();
  readonly #priorities = new Priorities();
  #count = 0;
  /** Only rows of less priority wait: halved when too many do, doubled when few do. */
  #threshold = anyPriority;

  constructor(options: WaitingRowsOptions) {
    this.#options = options;
    this.#horizonMs = options.horizonMs ?? 0;
  }

  /** Each row in order: its target labels a row that waits, rows of its key expire, then it may wait itself. */
  learn(block: RowBlock, labelled: LeastRows): void {
    const { rowCount, isScored, targets, timesMs, keyIds, evictedKeyIds, offsets, partition } = block;
    for (let row = 0; row < rowCount; row += 1) {
      if (evictedKeyIds[row]! >= 0) this.#forget(evictedKeyIds[row]!);
      const waiting = this.#keys.get(keyIds[row]!);
      // Most have nothing old enough to be labelled or to expire.
      if (waiting !== undefined && waiting[0]!.timeMs <= timesMs[row]! - this.#horizonMs + this.#options.toleranceMs) {
        this.#label(waiting, keyIds[row]!, targets[row]!, timesMs[row]!, labelled);
        this.#expire(waiting, keyIds[row]!, timesMs[row]!);
      }
      const priority = this.#priorities.of(partition, offsets[row]!);
      // What is too much for this interval is not needed, unless its label comes in the next one.
      if (isScored && priority < this.#threshold && priority < labelled.threshold) this.#add(block, row, priority);
    }
  }

  /** Lets more rows wait where few do. */
  widen(): void {
    if (this.#count < this.#options.rows / 2) this.#threshold = Math.min(anyPriority, 2 * this.#threshold);
  }

  snapshot(): Snapshot['arrays'] {
    const rows = [...this.#keys].flatMap(([keyId, waiting]) => waiting.map((row) => ({ ...row, keyId })));
    const { featureCount } = this.#options;
    const features = new Float64Array(rows.length * featureCount);
    for (const [row, each] of rows.entries()) features.set(each.features, row * featureCount);
    return {
      'waiting.features': features,
      'waiting.keyIds': Int32Array.from(rows, ({ keyId }) => keyId),
      'waiting.priorities': Uint32Array.from(rows, ({ priority }) => priority),
      'waiting.timesMs': Float64Array.from(rows, ({ timeMs }) => timeMs),
      'waiting.ownTargets': Float64Array.from(rows, ({ ownTarget }) => ownTarget),
      'waiting.threshold': Float64Array.of(this.#threshold),
    };
  }

  restore(snapshot: Snapshot): void {
    const { featureCount } = this.#options;
    const features = arrayOf(snapshot, 'waiting.features', Float64Array);
    const priorities = arrayOf(snapshot, 'waiting.priorities', Uint32Array);
    const timesMs = arrayOf(snapshot, 'waiting.timesMs', Float64Array);
    const ownTargets = arrayOf(snapshot, 'waiting.ownTargets', Float64Array);
    for (const [row, keyId] of arrayOf(snapshot, 'waiting.keyIds', Int32Array).entries()) {
      this.#insert(keyId, {
        priority: priorities[row]!,
        timeMs: timesMs[row]!,
        ownTarget: ownTargets[row]!,
        features: features.slice(row * featureCount, (row + 1) * featureCount),
      });
    }
    this.#threshold = arrayOf(snapshot, 'waiting.threshold', Float64Array)[0]!;
    this.#thin();
  }

  #label(waiting: WaitingRow[], keyId: number, label: number, timeMs: number, labelled: LeastRows): void {
    const { toleranceMs } = this.#options;
    const wantedMs = timeMs - this.#horizonMs;
    if (Number.isNaN(label)) return;
    const after = firstFrom(waiting, wantedMs);
    const distance = (index: number): number => Math.abs((waiting[index]?.timeMs ?? Infinity) - wantedMs);
    const before = after === 0 ? after : firstFrom(waiting, waiting[after - 1]!.timeMs);
    const index = distance(after) < distance(before) ? after : before;
    if (distance(index) > toleranceMs) return;
    const [{ priority, ownTarget, features }] = waiting.splice(index, 1) as [WaitingRow];
    this.#count -= 1;
    labelled.add({ priority, ownTarget, features, keyId, label });
  }

  #expire(waiting: WaitingRow[], keyId: number, timeMs: number): void {
    const expired = firstFrom(waiting, timeMs - this.#horizonMs - this.#options.toleranceMs);
    if (expired > 0) {
      waiting.splice(0, expired);
      this.#count -= expired;
    }
    if (waiting.length === 0) this.#keys.delete(keyId);
  }

  #forget(keyId: number): void {
    this.#count -= this.#keys.get(keyId)?.length ?? 0;
    this.#keys.delete(keyId);
  }

  #add({ featureCount, features, targets, timesMs, keyIds }: RowBlock, row: number, priority: number): void {
    this.#insert(keyIds[row]!, {
      priority,
      timeMs: timesMs[row]!,
      ownTarget: targets[row]!,
      features: features.slice(row * featureCount, (row + 1) * featureCount),
    });
    if (this.#count <= this.#options.rows) return;
    this.#threshold = Math.floor(this.#threshold / 2);
    this.#thin();
  }

  #insert(keyId: number, row: WaitingRow): void {
    const waiting = this.#keys.get(keyId);
    if (waiting === undefined) this.#keys.set(keyId, [row]);
    else waiting.splice(firstFrom(waiting, row.timeMs, true), 0, row);
    this.#count += 1;
  }

  #thin(): void {
    this.#count = 0;
    for (const [keyId, waiting] of this.#keys) {
      const kept = waiting.filter(({ priority }) => priority < this.#threshold);
      this.#count += kept.length;
      if (kept.length === 0) this.#keys.delete(keyId);
      else this.#keys.set(keyId, kept);
    }
  }
}

/** Index of the first row at `timeMs` or later (`isAfter`: strictly later). */
function firstFrom(rows: readonly WaitingRow[], timeMs: number, isAfter = false): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = rows[middle]!.timeMs;
    if (at < timeMs || (isAfter && at === timeMs)) low = middle + 1;
    else high = middle;
  }
  return low;
}
