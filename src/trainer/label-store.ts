import { type BatchRows, copyRow, emptyTable, pickRows, resized, type RowShape, type RowTable } from './row-table.ts';
import { float32Array, float64Array, int32Array, type Arrays, uint8Array } from './snapshot-parts.ts';
import { none, TimeTree } from './time-tree.ts';

export interface LabelStoreOptions {
  readonly featureCount: number;
  readonly outputCount: number;
  /** Names of the contenders whose outputs wait with the rows, in the order of `RowTable.outputs`. */
  readonly contenders: readonly string[];
  /** Null: nothing waits, the store only knows the latest target of each key. */
  readonly horizonMs: number | null;
  readonly toleranceMs: number;
  /** Rows that wait at the most. */
  readonly pendingRows: number;
  /** The latest target of a key that has shown none. */
  readonly unknownTarget: number;
}

interface KeyState {
  lastTarget: number;
  /** Greatest event time seen at the key, -Infinity before the first row. */
  newestMs: number;
  /** Root of the key's waiting rows in the tree. */
  root: number;
}

/**
 * Joins rows with the labels that come later: the label of a row at time t is its key's target at t + horizon.
 *
 * Rows wait as columns, in slots that are reused. Each key's rows are ordered by time (a tree), all rows by arrival (a list),
 * so that a label, an expiry and an overflow each cost O(log rows of the key).
 */
export class LabelStore {
  readonly #options: LabelStoreOptions;
  readonly #shape: RowShape;
  readonly #keys = new Map<number, KeyState>();
  readonly #tree = new TimeTree();
  #slots: RowTable;
  /** Neighbours in order of arrival. */
  #before = new Int32Array(0);
  #after = new Int32Array(0);
  #oldest = none;
  #newest = none;
  #free: number[] = [];
  #pending = 0;
  #arrivals = 0;
  #unlabelled = 0;

  constructor(options: LabelStoreOptions) {
    const { featureCount, outputCount, contenders } = options;
    this.#options = options;
    this.#shape = { featureCount, outputCount, contenderCount: contenders.length };
    this.#slots = emptyTable(0, this.#shape);
  }

  /** Rows that wait. */
  get pending(): number {
    return this.#pending;
  }

  /** Rows whose label never came: expired, pushed out by `pendingRows`, or of a forgotten key. */
  get unlabelled(): number {
    return this.#unlabelled;
  }

  /** Event time of the row that has waited longest, null where none waits. */
  get oldestPendingMs(): number | null {
    return this.#oldest === none ? null : this.#slots.timesMs[this.#oldest]!;
  }

  /**
   * Takes the targets of a batch in, in row order, and returns the latest one known to each row's key: with a horizon that
   * of the row itself where it has one, since it is known when the row is predicted; without one, the one before.
   */
  learnTargets({ rowCount, keyIds, targets }: BatchRows): Float64Array {
    const lastTargets = new Float64Array(rowCount);
    const isOwnKnown = this.#options.horizonMs !== null;
    for (let i = 0; i < rowCount; i++) {
      const key = this.#key(keyIds[i]!);
      const before = key.lastTarget;
      if (!Number.isNaN(targets[i]!)) key.lastTarget = targets[i]!;
      lastTargets[i] = isOwnKnown ? key.lastTarget : before;
    }
    return lastTargets;
  }

  /**
   * Under a horizon: takes rows in, in order, and returns copies of the waiting rows that they labelled. For each row, first
   * its target labels at most one waiting row of its key (the nearest to t + horizon within the tolerance, of equally near
   * ones the earlier), then rows of its key expire, then it waits itself with its outputs.
   */
  match(rows: RowTable, horizonMs: number): RowTable {
    const matched = emptyTable(rows.rowCount, this.#shape);
    let matchedCount = 0;
    for (let i = 0; i < rows.rowCount; i++) {
      const key = this.#key(rows.keyIds[i]!);
      const slot = Number.isNaN(rows.ownTargets[i]!) ? none : this.#waitingFor(key, rows.timesMs[i]!, horizonMs);
      if (slot !== none) {
        copyRow(this.#slots, slot, matched, matchedCount);
        matched.labels[matchedCount++] = rows.ownTargets[i]!;
        this.#remove(key, slot);
      }
      key.newestMs = Math.max(key.newestMs, rows.timesMs[i]!);
      this.#expire(key, horizonMs);
      this.#add(key, rows, i);
    }
    return matchedCount === rows.rowCount
      ? matched
      : pickRows(
          matched,
          Array.from({ length: matchedCount }, (_, i) => i),
        );
  }

  /** Forgets keys; their waiting rows end unlabelled. Unknown keys are fine. */
  forget(keyIds: Int32Array): void {
    for (const keyId of keyIds) {
      const key = this.#keys.get(keyId);
      if (key === undefined) continue;
      while (key.root !== none) this.#giveUp(key, key.root);
      this.#keys.delete(keyId);
    }
  }

  /** Waiting rows in order of arrival, and what is known of each key. */
  snapshot(): Arrays {
    const waiting: number[] = [];
    for (let slot = this.#oldest; slot !== none; slot = this.#after[slot]!) waiting.push(slot);
    const rows = pickRows(this.#slots, waiting);
    const keys = [...this.#keys];
    return {
      features: rows.features,
      keyIds: rows.keyIds,
      ownTargets: rows.ownTargets,
      lastTargets: rows.lastTargets,
      timesMs: rows.timesMs,
      timestampsMs: rows.timestampsMs,
      offsets: rows.offsets,
      originIds: rows.originIds,
      partitions: rows.partitions,
      isScored: rows.isScored,
      ...Object.fromEntries(this.#options.contenders.map((name, c) => [`outputs.${name}`, rows.outputs[c]!])),
      'keys.ids': Int32Array.from(keys, ([id]) => id),
      'keys.lastTargets': Float64Array.from(keys, ([, key]) => key.lastTarget),
      'keys.newestMs': Float64Array.from(keys, ([, key]) => key.newestMs),
      unlabelled: Float64Array.of(this.#unlabelled),
    };
  }

  restore(arrays: Arrays): void {
    const ids = int32Array(arrays, 'keys.ids');
    const lastTargets = float64Array(arrays, 'keys.lastTargets', ids.length);
    const newestMs = float64Array(arrays, 'keys.newestMs', ids.length);
    for (let k = 0; k < ids.length; k++) {
      this.#keys.set(ids[k]!, { lastTarget: lastTargets[k]!, newestMs: newestMs[k]!, root: none });
    }
    const rows = this.#restoredRows(arrays);
    for (let i = 0; i < rows.rowCount; i++) this.#add(this.#key(rows.keyIds[i]!), rows, i);
    this.#unlabelled += float64Array(arrays, 'unlabelled', 1)[0]!;
  }

  #restoredRows(arrays: Arrays): RowTable {
    const { featureCount, outputCount, contenders } = this.#options;
    const keyIds = int32Array(arrays, 'keyIds');
    const rowCount = keyIds.length;
    return {
      rowCount,
      featureCount,
      features: float32Array(arrays, 'features', rowCount * featureCount),
      keyIds,
      ownTargets: float64Array(arrays, 'ownTargets', rowCount),
      lastTargets: float64Array(arrays, 'lastTargets', rowCount),
      labels: new Float64Array(rowCount),
      timesMs: float64Array(arrays, 'timesMs', rowCount),
      timestampsMs: float64Array(arrays, 'timestampsMs', rowCount),
      offsets: float64Array(arrays, 'offsets', rowCount),
      originIds: int32Array(arrays, 'originIds', rowCount),
      partitions: int32Array(arrays, 'partitions', rowCount),
      isScored: uint8Array(arrays, 'isScored', rowCount),
      outputs: contenders.map((name) => float64Array(arrays, `outputs.${name}`, rowCount * outputCount)),
    };
  }

  #key(keyId: number): KeyState {
    let key = this.#keys.get(keyId);
    if (key === undefined) {
      key = { lastTarget: this.#options.unknownTarget, newestMs: -Infinity, root: none };
      this.#keys.set(keyId, key);
    }
    return key;
  }

  /** The waiting row that a target at `timeMs` labels. */
  #waitingFor(key: KeyState, timeMs: number, horizonMs: number): number {
    const slot = this.#tree.nearest(key.root, timeMs - horizonMs);
    const isNear =
      slot !== none && Math.abs(this.#slots.timesMs[slot]! + horizonMs - timeMs) <= this.#options.toleranceMs;
    return isNear ? slot : none;
  }

  #expire(key: KeyState, horizonMs: number): void {
    const waitMs = horizonMs + this.#options.toleranceMs;
    for (;;) {
      const slot = this.#tree.first(key.root);
      if (slot === none || this.#slots.timesMs[slot]! + waitMs >= key.newestMs) return;
      this.#giveUp(key, slot);
    }
  }

  #add(key: KeyState, rows: RowTable, i: number): void {
    while (this.#pending >= this.#options.pendingRows) {
      this.#giveUp(this.#key(this.#slots.keyIds[this.#oldest]!), this.#oldest);
    }
    if (this.#pending === this.#slots.rowCount) this.#grow();
    const slot = this.#free.pop()!;
    copyRow(rows, i, this.#slots, slot);
    key.root = this.#tree.insert(key.root, slot, rows.timesMs[i]!, this.#arrivals++);
    this.#before[slot] = this.#newest;
    this.#after[slot] = none;
    if (this.#newest === none) this.#oldest = slot;
    else this.#after[this.#newest] = slot;
    this.#newest = slot;
    this.#pending++;
  }

  #giveUp(key: KeyState, slot: number): void {
    this.#remove(key, slot);
    this.#unlabelled++;
  }

  #remove(key: KeyState, slot: number): void {
    key.root = this.#tree.remove(key.root, slot);
    const [before, after] = [this.#before[slot]!, this.#after[slot]!];
    if (before === none) this.#oldest = after;
    else this.#after[before] = after;
    if (after === none) this.#newest = before;
    else this.#before[after] = before;
    this.#free.push(slot);
    this.#pending--;
  }

  /** Doubles the slots, all of which are taken. */
  #grow(): void {
    const taken = this.#slots.rowCount;
    const capacity = Math.min(Math.max(64, 2 * taken), this.#options.pendingRows);
    this.#slots = resized(this.#slots, taken, capacity, this.#shape);
    this.#tree.grow(capacity);
    const [before, after] = [new Int32Array(capacity), new Int32Array(capacity)];
    before.set(this.#before);
    after.set(this.#after);
    this.#before = before;
    this.#after = after;
    for (let slot = capacity - 1; slot >= taken; slot--) this.#free.push(slot);
  }
}
