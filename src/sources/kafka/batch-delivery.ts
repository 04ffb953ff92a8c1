import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { RecordBlock } from '../../records.ts';
import type { Credit } from '../credit.ts';
import { emptyBlock } from '../record-batch/record-blocks.ts';
import { maxBlockRecords } from '../source.ts';
import type { Batch, KafkaMessage } from './kafkajs.ts';
import { epochOf, messageBlock } from './message-block.ts';
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

/** Turns fetched batches into blocks from the partition's own position on, waiting for credit before each. */
export class BatchDelivery {
  readonly #positions: ReadingPositions;
  readonly #credit: Credit;
  readonly #signal: AbortSignal;
  readonly #emit: (block: RecordBlock) => void;
  #waiting = 0;

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
   * @throws SourceError `source.outOfRange` by policy.
   */
  async deliver(batch: Batch, hooks: BatchHooks): Promise<void> {
    const reading = this.#positions.find(batch.topic, batch.partition);
    if (reading === undefined || isDone(reading)) return;
    if (!this.#follows(batch, reading, hooks)) return;
    const messages = batch.messages.filter(({ offset }) => isWanted(Number(offset), reading));
    const end = Math.min(Number(batch.lastOffset()) + 1, reading.stopOffset);
    const endOffset = Number(batch.highWatermark);
    for (let first = 0; first < messages.length; first += maxBlockRecords) {
      const part = messages.slice(first, first + maxBlockRecords);
      if (!(await this.#mayGoOn(hooks))) return;
      const isLast = first + maxBlockRecords >= messages.length;
      const nextOffset = isLast ? end : Number(part.at(-1)?.offset) + 1;
      this.#handOn(reading, part, nextOffset, endOffset);
      hooks.advance(nextOffset);
    }
    if (end <= reading.nextOffset) return;
    this.skip(reading, end, endOffset);
    hooks.advance(end);
  }

  /** Moves a position over offsets that hold no record to show: control records, aborted transactions. */
  skip(reading: PartitionReading, nextOffset: number, endOffset: number): void {
    reading.nextOffset = Math.min(nextOffset, reading.stopOffset);
    this.#emit(emptyBlock({ ...placeOf(reading), endOffset, isEndOfInput: false }));
  }

  /** False where the batch is no continuation of what was read; then the position has moved, or this throws. */
  #follows(batch: Batch, reading: PartitionReading, hooks: BatchHooks): boolean {
    const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
    const fetched = Number(fetchedOffset);
    const end = Number(batch.highWatermark);
    const range = { ...placeOf(reading), firstOffset: fetched, endOffset: end };
    if (end < reading.nextOffset) {
      // kafkajs started over by itself: the topic was re-created or cut back.
      hooks.seek(this.#positions.leaveGap(reading, range, gapReasons.cut));
      return false;
    }
    if (fetched > reading.nextOffset) {
      hooks.seek(this.#positions.leaveGap(reading, range, gapReasons.gone));
      return false;
    }
    const epoch = epochOf(batch.messages[0]);
    if (epoch >= 0 && epoch < reading.epoch && Number(batch.firstOffset()) >= reading.nextOffset) {
      const reason = `the record there was written in leader epoch ${epoch}, before epoch ${reading.epoch} of the records read; the topic was re-created or cut back`;
      hooks.seek(this.#positions.leaveGap(reading, { ...range, firstOffset: 0 }, reason));
      return false;
    }
    return true;
  }

  async #mayGoOn(hooks: BatchHooks): Promise<boolean> {
    // Lets timers, scrapes and the ring have their turn between blocks of a large fetch.
    await nextTurn();
    if (this.#credit.usedBytes < this.#credit.limitBytes) return !this.#signal.aborted && hooks.keepAlive();
    this.#waiting += 1;
    try {
      const credit = this.#credit.available(this.#signal).then(() => true);
      while (!(await Promise.race([credit, delay(heartbeatMs, false, { ref: false })]))) {
        if (!(await hooks.keepAlive())) return false;
      }
      return !this.#signal.aborted && (await hooks.keepAlive());
    } finally {
      this.#waiting -= 1;
    }
  }

  #handOn(reading: PartitionReading, messages: readonly KafkaMessage[], nextOffset: number, endOffset: number): void {
    const block = messageBlock(messages, {
      ...placeOf(reading),
      nextOffset,
      endOffset,
      take: (bytes) => this.#credit.take(bytes),
    });
    reading.nextOffset = nextOffset;
    reading.epoch = Math.max(reading.epoch, block.epoch);
    this.#emit(block);
  }
}

function isWanted(offset: number, reading: PartitionReading): boolean {
  return offset >= reading.nextOffset && offset < reading.stopOffset;
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
