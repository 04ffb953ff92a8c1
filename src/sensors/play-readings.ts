import { setImmediate } from 'node:timers/promises';
import { wallClock, type Clock } from '../clock.ts';
import { partitionOfKey } from './murmur2.ts';
import type { ReadingValue, Readings } from './readings.ts';

/** Makes the bytes of one reading. */
export type EncodeReading = (value: Readonly<Record<string, ReadingValue>>) => Buffer;

/** A record on its way into a partition. */
export interface SensorRecord {
  readonly key: Buffer | null;
  readonly value: Buffer;
  /** Unix milliseconds. */
  readonly timestampMs: number;
}

/** A topic that readings are appended to, and nobody else appends to. */
export interface ReadingSink {
  /** Partitions of the topic, 1 or more. */
  readonly partitions: number;
  /** The end of each partition: how many records it was ever given. */
  nextOffsets(): Promise<readonly number[]>;
  /** Appends to partitions in order; resolves when the records are written. Never called before the last call has resolved. */
  append(records: ReadonlyMap<number, readonly SensorRecord[]>): Promise<void>;
  close(): Promise<void>;
}

export interface PlayOptions {
  /** Records that the topic shall hold in the end, those of earlier runs among them; by default all readings. */
  readonly count?: number | undefined;
  /** Records a second in this run; null is as fast as the sink takes them. */
  readonly ratePerSecond: number | null;
  /** Ends the run behind the records that are being appended. */
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
  /** Called after each round with the records sent in this run and the number in the sequence. */
  readonly onProgress?: ((sent: number, played: number) => void) | undefined;
}

/** What one run of sensors did. */
export interface Played {
  /** Records sent by this run. */
  readonly sent: number;
  /** Records that the topic was given in all. */
  readonly total: number;
}

/** Records that are encoded together; two rounds are in memory at the most. */
const roundRecords = 4096;
/** Shortest wait of a paced run, so that a high rate sends batches and not single records. */
const tickMs = 20;

/**
 * Appends readings to a topic, each to the partition of its key as Kafka's Java client does (murmur2); records without
 * a key take turns. Goes on where the topic ends: record n is a function of n, so for each partition it is known how
 * many of the records before n are in it. A run that was killed, with partitions ahead of others, and run again thus
 * leaves each partition equal to one of a run that was not. Timestamps are the clock's at sending.
 */
export async function playReadings(
  readings: Readings,
  sink: ReadingSink,
  encode: EncodeReading,
  options: PlayOptions,
): Promise<Played> {
  const clock = options.clock ?? wallClock;
  const { ratePerSecond, signal } = options;
  const count = Math.min(readings.count, options.count ?? Infinity);
  const ends = await sink.nextOffsets();
  const cursor = new Cursor(readings, sink.partitions, ends, count);
  const startedMs = clock.now();
  let sent = 0;
  let appended: Promise<void> = Promise.resolve();
  while (!signal.aborted) {
    const dueRecords = ratePerSecond === null ? Infinity : dueBy(clock.now() - startedMs, ratePerSecond) - sent;
    if (dueRecords < 1 && ratePerSecond !== null) {
      await clock.waitUntil(Math.max(clock.now() + tickMs, startedMs + (sent * 1000) / ratePerSecond), signal);
      continue;
    }
    const round = cursor.take(Math.min(roundRecords, dueRecords));
    if (round.length === 0) break;
    // Encoded while the round before is being written.
    const records = encodeRound(readings, encode, round, clock.now());
    await appended;
    appended = sink.append(records);
    // Awaited in the next round; until then a failure is nobody's.
    appended.catch(() => undefined);
    sent += round.length;
    options.onProgress?.(sent, cursor.next);
    // A sink that writes at once would leave timers, signals and readers in this process no turn.
    await setImmediate();
  }
  await appended;
  return { sent, total: ends.reduce((sum, end) => sum + end, sent) };
}

/** Records that a paced run may have sent: the first one at once. */
function dueBy(elapsedMs: number, ratePerSecond: number): number {
  return 1 + Math.floor((elapsedMs / 1000) * ratePerSecond);
}

interface Place {
  readonly n: number;
  readonly partition: number;
  readonly key: Buffer | null;
}

/** Walks over the numbers of records and leaves out those that their partition holds. */
class Cursor {
  readonly #readings: Readings;
  readonly #partitions: number;
  readonly #count: number;
  /** Records of each partition still to be passed over. */
  readonly #held: number[];
  next = 0;

  constructor(readings: Readings, partitions: number, ends: readonly number[], count: number) {
    this.#readings = readings;
    this.#partitions = partitions;
    this.#held = [...ends];
    this.#count = count;
  }

  /** At most `most` records that are not in the topic, none where there are no more. */
  take(most: number): readonly Place[] {
    const places: Place[] = [];
    for (; places.length < most && this.next < this.#count; this.next++) {
      const text = this.#readings.key(this.next);
      const key = text === null ? null : Buffer.from(text);
      const partition = key === null ? this.next % this.#partitions : partitionOfKey(key, this.#partitions);
      const held = this.#held[partition] ?? 0;
      if (held > 0) this.#held[partition] = held - 1;
      else places.push({ n: this.next, partition, key });
    }
    return places;
  }
}

function encodeRound(
  readings: Readings,
  encode: EncodeReading,
  round: readonly Place[],
  timestampMs: number,
): ReadonlyMap<number, readonly SensorRecord[]> {
  const records = new Map<number, SensorRecord[]>();
  for (const { n, partition, key } of round) {
    const record = { key, value: encode(readings.value(n)), timestampMs };
    const run = records.get(partition);
    if (run === undefined) records.set(partition, [record]);
    else run.push(record);
  }
  return records;
}
