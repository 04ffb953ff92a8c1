import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { RecordBlock } from '../../records.ts';
import type { Credit } from '../credit.ts';
import { emptyBlock } from '../record-batch/record-blocks.ts';
import { fetchedBatch, type FetchedBatch } from './fetched-batch.ts';
import type { Batch } from './kafkajs.ts';
import { gapReasons, isDone, type PartitionReading, type ReadingPositions } from './reading-positions.ts';

/** What the delivery of one fetched batch needs from the consumer that fetched it. */
export interface BatchHooks {
  /** False where membership or this consumer has ended: the rest of the batch is fetched again. */
  keepAlive(): Promise<boolean>;
  /** Tells the consumer where its next fetch begins. */
  advance(nextOffset: number): void;
  /** Makes the consumer fetch from elsewhere. */
  seek(nextOffset: number): void;
}

/** How often a handler that waits for credit says that it is alive. */
const heartbeatMs = 1000;
/** How long delivery may hold the event loop. */
const turnMs = 10;

/** Turns fetched batches into blocks from the partition's own position on, waiting for credit before each. */
export class BatchDelivery {
  readonly #positions: ReadingPositions;
  readonly #credit: Credit;
  readonly #signal: AbortSignal;
  readonly #emit: (block: RecordBlock) => void;
  #waiting = 0;
  #turnStart = performance.now();

  constructor(positions: ReadingPositions, credit: Credit, signal: AbortSignal, emit: (block: RecordBlock) => void) {
    this.#positions = positions;
    this.#credit = credit;
    this.#signal = signal;
    this.#emit = emit;
  }

  /** True while a handler waits for credit: then it is not the broker's fault that nothing moves. */
  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  /**
   * Hands on what of a batch is new; what a reconnect delivered again is skipped.
   * @throws SourceError `source.outOfRange` by policy, `source.corrupt` where the batch cannot be decoded.
   */
  async deliver(batch: Batch, hooks: BatchHooks): Promise<void> {
    const { topic, partition } = batch;
    const reading = this.#positions.find(topic, partition);
    if (reading === undefined || isDone(reading)) return;
    const fetched = fetchedBatch(batch);
    if (!this.#follows(fetched, reading, hooks)) return;
    const { nextOffset: fromOffset, stopOffset } = reading;
    const { endOffset } = fetched;
    const take = (bytes: number) => this.#credit.take(bytes);
    const blocks = fetched.blocks({ topic, partition, fromOffset, stopOffset, endOffset, take });
    while (!isDone(reading) && (!this.#isPauseDue || (await this.#mayGoOn(hooks)))) {
      const next = blocks.next();
      if (next.done === true) break;
      this.#handOn(reading, next.value);
    }
    hooks.advance(reading.nextOffset);
  }

  /** Moves a position over offsets that hold no record to show: control records, aborted transactions. */
  skip(reading: PartitionReading, nextOffset: number, endOffset: number): void {
    reading.nextOffset = Math.min(nextOffset, reading.stopOffset);
    this.#emit(emptyBlock({ ...placeOf(reading), endOffset, isEndOfInput: false }));
  }

  /** False where the batch is no continuation of what was read; then the position has moved, or this throws. */
  #follows(
    { fetchedOffset, firstOffset, endOffset, epoch }: FetchedBatch,
    reading: PartitionReading,
    hooks: BatchHooks,
  ) {
    const range = { ...placeOf(reading), firstOffset: fetchedOffset, endOffset };
    if (endOffset < reading.nextOffset) {
      // kafkajs started over by itself: the topic was re-created or cut back.
      hooks.seek(this.#positions.leaveGap(reading, range, gapReasons.cut));
      return false;
    }
    if (fetchedOffset > reading.nextOffset) {
      hooks.seek(this.#positions.leaveGap(reading, range, gapReasons.gone));
      return false;
    }
    if (epoch >= 0 && epoch < reading.epoch && firstOffset >= reading.nextOffset) {
      const reason = `the record there was written in leader epoch ${epoch}, before epoch ${reading.epoch} of the records read; the topic was re-created or cut back`;
      hooks.seek(this.#positions.leaveGap(reading, { ...range, firstOffset: 0 }, reason));
      return false;
    }
    return true;
  }

  get #isPauseDue(): boolean {
    return this.#hasNoCredit || this.#signal.aborted || performance.now() - this.#turnStart >= turnMs;
  }

  get #hasNoCredit(): boolean {
    return this.#credit.usedBytes >= this.#credit.limitBytes;
  }

  async #mayGoOn(hooks: BatchHooks): Promise<boolean> {
    // Lets timers, scrapes and the ring have their turn between blocks of a large fetch.
    await nextTurn();
    const isGoing = await (this.#hasNoCredit ? this.#credited(hooks) : hooks.keepAlive());
    this.#turnStart = performance.now();
    return isGoing && !this.#signal.aborted;
  }

  /** Waits for credit and stays a member of the group meanwhile; false where that has ended. */
  async #credited(hooks: BatchHooks): Promise<boolean> {
    this.#waiting += 1;
    try {
      const credit = this.#credit.available(this.#signal).then(() => true);
      while (!(await Promise.race([credit, delay(heartbeatMs, false, { ref: false })]))) {
        if (!(await hooks.keepAlive())) return false;
      }
      return await hooks.keepAlive();
    } finally {
      this.#waiting -= 1;
    }
  }

  #handOn(reading: PartitionReading, block: RecordBlock): void {
    reading.nextOffset = block.nextOffset;
    reading.epoch = Math.max(reading.epoch, block.epoch);
    this.#emit(block);
  }
}

/** Where a partition stands, as blocks say it. */
export function placeOf(reading: PartitionReading): {
  topic: string;
  partition: number;
  nextOffset: number;
  epoch: number;
} {
  const { topic, partition, nextOffset, epoch } = reading;
  return { topic, partition, nextOffset, epoch };
}
