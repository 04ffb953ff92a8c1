import assert from 'node:assert/strict';
import { batchColumns, batchRowBytes } from '../columns.ts';
import { ConfigError } from '../errors.ts';
import type { BatchRows } from './row-table.ts';
import type { TrainerOptions } from './trainer.ts';

/** What a slot asks of the worker. Orders travel the ring too: a worker that waits for a batch hears nothing else. */
const slotKinds = ['batch', 'snapshot', 'stop'] as const;
export type SlotKind = (typeof slotKinds)[number];

/** One side's view of a taken slot; valid until it is released. */
export interface Slot {
  readonly kind: SlotKind;
  readonly batch: BatchRows;
}

export type RingOptions = Pick<TrainerOptions, 'featureCount' | 'batchRows' | 'ringBytes'>;

/** The memory that both threads share; structured-cloneable. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

/** More slots than this only put off a snapshot. */
const maxSlots = 256;
/** Int32 cells of a slot before its rows: kind, row count, count of evicted keys, padding to a multiple of 8 bytes. */
const headerCells = 4;
/** Cells of `control`: slots filled and slots emptied, each modulo twice the slots, so that full and empty differ. */
const filled = 0;
const emptied = 1;

/**
 * Slots that fit into `ringBytes`, at least 2 and at most 256.
 * @throws ConfigError where fewer than two batches fit: filling and learning could then never overlap.
 */
export function ringSlots(options: RingOptions): number {
  const slots = Math.floor(options.ringBytes / slotBytes(options));
  if (slots < 2) {
    throw new ConfigError(
      'config.incompatible',
      `limits.ringBytes is ${options.ringBytes}, which holds fewer than two batches of ${options.batchRows} rows and ` +
        `${options.featureCount} features: set it to at least ${2 * slotBytes(options)}, or make batch.rows smaller`,
      { context: { key: 'limits.ringBytes' } },
    );
  }
  return Math.min(slots, maxSlots);
}

/** The rows of a slot and its header. */
function slotBytes({ batchRows, featureCount }: RingOptions): number {
  return batchRows * batchRowBytes(featureCount) + 4 * headerCells;
}

/**
 * A bounded queue of batches from one thread to one other: fixed slots in shared memory, a pair of counters, no messages.
 *
 * Each column of all slots lies together. The writer only moves `filled`, the reader only `emptied`; Atomics order the rest.
 */
export class Ring {
  readonly slots: number;
  readonly memory: RingMemory;
  readonly #batchRows: number;
  readonly #featureCount: number;
  readonly #control: Int32Array;
  readonly #columns: ReturnType<typeof columnsOf>;
  #isAbandoned = false;

  /** A new ring, or the other thread's side of an existing one. */
  constructor(options: RingOptions, memory?: RingMemory) {
    this.slots = ringSlots(options);
    this.memory = memory ?? {
      control: new SharedArrayBuffer(8),
      slots: new SharedArrayBuffer(this.slots * slotBytes(options)),
    };
    this.#batchRows = options.batchRows;
    this.#featureCount = options.featureCount;
    this.#control = new Int32Array(this.memory.control);
    this.#columns = columnsOf(this.memory.slots, this.slots, options);
  }

  /** Slots filled and not yet emptied. */
  get depth(): number {
    const ahead = Atomics.load(this.#control, filled) - Atomics.load(this.#control, emptied);
    return ahead < 0 ? ahead + 2 * this.slots : ahead;
  }

  /**
   * Writer: resolves at once while a slot is free or the ring abandoned, else when half of them are or it is: a thread that
   * wakes for each slot costs more than what it fills it with. Does not keep the process alive.
   */
  async hasRoom(): Promise<void> {
    while (!this.#isAbandoned) {
      const seen = Atomics.load(this.#control, emptied);
      if (this.depth < this.slots) return;
      const wait = waitAsync(this.#control, emptied, seen);
      if (wait.async) await wait.value;
    }
  }

  /** Writer: fills a free slot with copies. Only after `hasRoom`. */
  put(kind: SlotKind, batch?: BatchRows): void {
    assert(this.depth < this.slots, 'no free slot in the ring');
    const index = Atomics.load(this.#control, filled);
    const slot = index % this.slots;
    const rowCount = batch?.rowCount ?? 0;
    const evictedCount = batch?.evictedKeyIds.length ?? 0;
    this.#columns.headers.set([slotKinds.indexOf(kind), rowCount, evictedCount], slot * headerCells);
    if (batch !== undefined) this.#write(slot, batch);
    Atomics.store(this.#control, filled, (index + 1) % (2 * this.slots));
    Atomics.notify(this.#control, filled);
  }

  /** Writer: nobody reads any more; ends waiting for room. */
  abandon(): void {
    this.#isAbandoned = true;
    Atomics.notify(this.#control, emptied);
  }

  /** Reader: blocks the thread until a slot is filled and returns views of it. */
  take(): Slot {
    const index = Atomics.load(this.#control, emptied);
    while (Atomics.load(this.#control, filled) === index) Atomics.wait(this.#control, filled, index);
    return this.#view(index % this.slots);
  }

  /** Reader: gives the taken slot back; a writer that waits is told when half are free. Nothing may look at its views any more. */
  release(): void {
    const index = Atomics.load(this.#control, emptied);
    Atomics.store(this.#control, emptied, (index + 1) % (2 * this.slots));
    if (this.depth <= this.slots / 2) Atomics.notify(this.#control, emptied);
  }

  #write(slot: number, batch: BatchRows): void {
    const { rowCount, featureCount, evictedKeyIds } = batch;
    assert(
      rowCount <= this.#batchRows && evictedKeyIds.length <= this.#batchRows,
      `a batch of ${rowCount} rows is too large`,
    );
    assert.equal(featureCount, this.#featureCount, 'a batch has another number of features than the trainer');
    const first = slot * this.#batchRows;
    const columns = this.#columns;
    columns.features.set(batch.features.subarray(0, rowCount * featureCount), first * featureCount);
    columns.targets.set(batch.targets.subarray(0, rowCount), first);
    columns.timesMs.set(batch.timesMs.subarray(0, rowCount), first);
    columns.timestampsMs.set(batch.timestampsMs.subarray(0, rowCount), first);
    columns.offsets.set(batch.offsets.subarray(0, rowCount), first);
    columns.keyIds.set(batch.keyIds.subarray(0, rowCount), first);
    columns.originIds.set(batch.originIds.subarray(0, rowCount), first);
    columns.partitions.set(batch.partitions.subarray(0, rowCount), first);
    columns.evictedKeyIds.set(evictedKeyIds, first);
    columns.isScored.set(batch.isScored.subarray(0, rowCount), first);
  }

  #view(slot: number): Slot {
    const [kind, rowCount, evictedCount] = this.#columns.headers.subarray(slot * headerCells, (slot + 1) * headerCells);
    const first = slot * this.#batchRows;
    const end = first + rowCount!;
    const columns = this.#columns;
    const batch = {
      rowCount: rowCount!,
      featureCount: this.#featureCount,
      features: columns.features.subarray(first * this.#featureCount, end * this.#featureCount),
      targets: columns.targets.subarray(first, end),
      timesMs: columns.timesMs.subarray(first, end),
      timestampsMs: columns.timestampsMs.subarray(first, end),
      offsets: columns.offsets.subarray(first, end),
      keyIds: columns.keyIds.subarray(first, end),
      originIds: columns.originIds.subarray(first, end),
      partitions: columns.partitions.subarray(first, end),
      evictedKeyIds: columns.evictedKeyIds.subarray(first, first + evictedCount!),
      isScored: columns.isScored.subarray(first, end),
    };
    return { kind: slotKinds[kind!]!, batch };
  }
}

/** Headers and columns of all slots over one buffer. */
function columnsOf(buffer: SharedArrayBuffer, slots: number, { batchRows, featureCount }: RingOptions) {
  const headers = new Int32Array(buffer, 0, slots * headerCells);
  return { headers, ...batchColumns(buffer, slots * batchRows, featureCount, headers.byteLength) };
}

type WaitAsync = (
  array: Int32Array,
  index: number,
  value: number,
) => { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> };

/** Node has it since 16; TypeScript declares it from ES2024 on. */
const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };
