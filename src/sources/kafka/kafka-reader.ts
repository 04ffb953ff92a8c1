import type { Subscriber } from 'rxjs';
import { setTimeout as delay } from 'node:timers/promises';
import { PipelineError, SourceError, messageOf } from '../../errors.ts';
import { partitionName, type Position, type RecordBlock } from '../../records.ts';
import type { Telemetry } from '../../telemetry.ts';
import { loadCompression } from '../record-batch/compression.ts';
import { emptyBlock } from '../record-batch/record-blocks.ts';
import { BatchDelivery, placeOf } from './batch-delivery.ts';
import { brokersOf } from './kafka-connection.ts';
import { KafkaSession } from './kafka-session.ts';
import type { KafkaSourceOptions, KafkaTimings } from './kafka-options.ts';
import { whyNotColumnar } from './kafkajs.ts';
import { PartitionOffsets, commitToEmptyGroup, type PartitionRange } from './partition-offsets.ts';
import { ReadingPositions, gapReasons, isDone } from './reading-positions.ts';

type ReaderOptions = KafkaSourceOptions & { readonly timings: KafkaTimings };

/** Consumers in a row that end or stall without having read anything, before it is given up. */
const maxFruitlessSessions = 5;
const minBackoffMs = 250;
const maxBackoffMs = 5000;
/** A consumer that lived for so long was no failure. */
const healthyMs = 60_000;
const commitLimitMs = 5000;
/** A new leader may name an older end for a moment. */
const confirmMs = 1000;

/** Reads topics through one consumer after another, from positions of its own, and watches that reading goes on. */
export class KafkaReader {
  readonly #options: ReaderOptions;
  readonly #telemetry: Telemetry;
  readonly #positions: ReadingPositions;
  readonly #offsets: PartitionOffsets;
  readonly #closing = new AbortController();
  #session: KafkaSession | null = null;
  #subscriber: Subscriber<RecordBlock> | null = null;
  #closed: Promise<void> | null = null;
  /** Resolves when the latest session has left the group. */
  #ended: Promise<void> = Promise.resolve();
  #isFinished = false;
  /** When reading stopped working; null while it works. */
  #downSinceMs: number | null = null;
  /** After trouble: brokers answer again, so that the next fetch proves that reading goes on. */
  #isReachable = false;
  #lastMoveMs = 0;
  #fruitless = 0;

  constructor(options: ReaderOptions, telemetry: Telemetry) {
    this.#options = options;
    this.#telemetry = telemetry;
    this.#positions = new ReadingPositions(options, telemetry);
    this.#offsets = new PartitionOffsets(options, options.topics);
  }

  /** Reads until the bounded end, `close` or an error, and tells the subscriber. */
  async read(subscriber: Subscriber<RecordBlock>): Promise<void> {
    this.#subscriber = subscriber;
    this.#downSinceMs = Date.now();
    if (whyNotColumnar !== null) this.#telemetry.emit({ type: 'sourceDegraded', message: whyNotColumnar });
    try {
      await loadCompression();
      await this.#readAll();
      if (!this.#isClosing) this.#endOfInput(subscriber);
      subscriber.complete();
      await this.#endSession();
    } catch (error) {
      await this.#endSession();
      subscriber.error(error);
    } finally {
      this.#offsets.close();
    }
  }

  /** Through the consumer while it lives, and afterwards, when the group is empty, without one. */
  async commit(positions: readonly Position[]): Promise<void> {
    const { groupId } = this.#options;
    const session = this.#session;
    const committed =
      session === null
        ? this.#ended.then(() => commitToEmptyGroup(this.#options, groupId, positions))
        : session.commit(positions);
    await Promise.race([committed.catch(() => undefined), delay(commitLimitMs, undefined, { ref: false })]);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  unsubscribed(): void {
    if (!this.#isFinished) void this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#offsets.close();
    await this.#endSession();
    this.#subscriber?.complete();
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (session !== null) this.#ended = session.close(this.#options.timings.closeMs);
    return this.#ended;
  }

  #endOfInput(subscriber: Subscriber<RecordBlock>): void {
    this.#isFinished = true;
    const [first] = this.#positions.all;
    if (first === undefined) return;
    subscriber.next(emptyBlock({ ...placeOf(first), endOffset: first.stopOffset, isEndOfInput: true }));
  }

  async #readAll(): Promise<void> {
    for (let backoffMs = minBackoffMs; ; backoffMs = Math.min(backoffMs * 2, maxBackoffMs)) {
      const beganMs = Date.now();
      try {
        await this.#begin();
        if (!this.#positions.isDone) await this.#readSession();
        return;
      } catch (error) {
        if (this.#isClosing) return;
        await this.#endSession();
        this.#decide(error);
      }
      if (Date.now() - beganMs > healthyMs) {
        backoffMs = minBackoffMs;
        this.#fruitless = 0;
      }
      await delay(backoffMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Learns what can be read, fixes where to begin and, where bounded, where to end. */
  async #begin(): Promise<void> {
    const ranges = await this.#offsets.ranges();
    const { start } = this.#options;
    this.#positions.begin(ranges, typeof start === 'number' ? await this.#offsets.at(start) : new Map());
    if (this.#positions.outOfRange(ranges).length > 0) await this.#leaveGaps();
    this.#tellEnds(ranges);
    this.#isReachable = true;
  }

  async #leaveGaps(): Promise<void> {
    await delay(confirmMs);
    for (const range of this.#positions.outOfRange(await this.#offsets.ranges())) {
      const reading = this.#positions.find(range.topic, range.partition);
      if (reading === undefined) continue;
      const isBefore = reading.nextOffset < range.firstOffset;
      this.#positions.leaveGap(reading, range, isBefore ? gapReasons.gone : gapReasons.cut);
    }
  }

  async #readSession(): Promise<void> {
    const delivery = new BatchDelivery(this.#positions, this.#options.credit, this.#closing.signal, (block) =>
      this.#subscriber?.next(block),
    );
    const ended = new AbortController();
    await new Promise<void>((resolve, reject) => {
      const session = new KafkaSession(this.#options, this.#positions, delivery, {
        joined: () => {
          this.#joined();
        },
        interrupted: (message) => {
          this.#interrupted(message);
        },
        moved: () => {
          this.#lastMoveMs = Date.now();
          this.#fruitless = 0;
          if (this.#positions.isDone) resolve();
        },
        failed: reject,
      });
      this.#session = session;
      this.#lastMoveMs = Date.now();
      this.#closing.signal.addEventListener('abort', () => {
        resolve();
      });
      session.start();
      this.#watch(delivery, ended.signal).catch(reject);
    }).finally(() => {
      ended.abort();
    });
  }

  /** Looks at the ends from time to time, over another connection. @throws when reading has stopped working. */
  async #watch(delivery: BatchDelivery, signal: AbortSignal): Promise<void> {
    const { pollMs, stallMs } = this.#options.timings;
    const isOver = (): boolean => signal.aborted || this.#isClosing;
    while (!isOver()) {
      await delay(pollMs, undefined, { ref: false });
      if (isOver()) return;
      const before = new Map(this.#positions.all.map((reading) => [partitionName(reading), reading.nextOffset]));
      const ranges = await this.#look();
      if (isOver() || ranges === null) continue;
      this.#tellEnds(ranges);
      const behind = ranges.find((range) => this.#isBehind(range));
      if (behind === undefined || delivery.isWaiting) this.#lastMoveMs = Date.now();
      else if (Date.now() - this.#lastMoveMs > stallMs) throw this.#stalled(behind);
      // What was read meanwhile may lie behind the ends that were seen.
      const out = this.#positions
        .outOfRange(ranges)
        .find((range) => !((before.get(partitionName(range)) ?? Infinity) <= range.endOffset && this.#isPast(range)));
      if (out !== undefined && !delivery.isWaiting) throw this.#lost(out);
    }
  }

  /** Null where brokers cannot be reached, which kafkajs mends by itself. @throws where that lasts too long. */
  async #look(): Promise<readonly PartitionRange[] | null> {
    try {
      const ranges = await this.#offsets.ranges();
      this.#isReachable = true;
      return ranges;
    } catch (error) {
      if (this.#isClosing) return null;
      this.#lastMoveMs = Date.now();
      this.#interrupted(messageOf(error));
      this.#giveUpInTime(error);
      return null;
    }
  }

  /** Returns where another consumer may do better. @throws where none would. */
  #decide(error: unknown): void {
    if (!(error instanceof PipelineError) || !error.retriable) throw error;
    if (error.code === 'source.crashed' || error.code === 'source.stalled') {
      this.#fruitless += 1;
      if (this.#fruitless >= maxFruitlessSessions) {
        const message = `${error.message}; ${maxFruitlessSessions} attempts in a row read nothing`;
        throw new SourceError(error.code, message, { cause: error, context: error.context });
      }
    }
    this.#interrupted(error.message);
    this.#giveUpInTime(error);
  }

  #giveUpInTime(error: unknown): void {
    const { isBounded, connectTimeoutMs } = this.#options;
    const downMs = Date.now() - (this.#downSinceMs ?? Date.now());
    if (!isBounded || downMs < connectTimeoutMs) return;
    throw new SourceError('source.unavailable', `${messageOf(error)}. Gave up after ${Math.round(downMs / 1000)} s`, {
      cause: error,
      context: { brokers: brokersOf(this.#options) },
    });
  }

  #joined(): void {
    if (this.#downSinceMs === null || !this.#isReachable) return;
    this.#downSinceMs = null;
    this.#telemetry.emit({ type: 'sourceJoined' });
  }

  #interrupted(message: string): void {
    this.#downSinceMs ??= Date.now();
    this.#isReachable = false;
    this.#telemetry.emit({ type: 'sourceInterrupted', message });
  }

  #tellEnds(ranges: readonly PartitionRange[]): void {
    for (const { topic, partition, endOffset } of ranges) {
      this.#telemetry.emit({ type: 'endOffsetSeen', topic, partition, endOffset });
    }
  }

  #isBehind(range: PartitionRange): boolean {
    const reading = this.#positions.find(range.topic, range.partition);
    return reading !== undefined && !isDone(reading) && reading.nextOffset < range.endOffset;
  }

  #isPast(range: PartitionRange): boolean {
    return (this.#positions.find(range.topic, range.partition)?.nextOffset ?? 0) > range.endOffset;
  }

  #stalled(range: PartitionRange): SourceError {
    const { topic, partition, endOffset } = range;
    const position = this.#positions.find(topic, partition)?.nextOffset ?? 0;
    const seconds = Math.round((Date.now() - this.#lastMoveMs) / 1000);
    return new SourceError(
      'source.stalled',
      `${partitionName(range)} is at ${position} of ${endOffset}, and nothing has come for ${seconds} s although the broker answers`,
      { retriable: true, context: { topic, partition, position, endOffset } },
    );
  }

  /** Ends the consumer; before the next one begins, the policy decides. */
  #lost(range: PartitionRange): SourceError {
    return new SourceError('source.outOfRange', `the position of ${partitionName(range)} is no longer in the topic`, {
      retriable: true,
    });
  }
}
