import { SourceError } from '../../errors.ts';
import { partitionName, type Position } from '../../records.ts';
import type { Telemetry } from '../../telemetry.ts';
import type { OutOfRange, Start } from '../source.ts';
import type { PartitionRange } from './partition-offsets.ts';

/** How far one partition is read. */
export interface PartitionReading {
  readonly topic: string;
  readonly partition: number;
  nextOffset: number;
  /** Leader epoch of the last record read, -1 where unknown. */
  epoch: number;
  /** Where a bounded reading ends; infinite where it follows. */
  readonly stopOffset: number;
}

export interface PositionOptions {
  readonly topics: readonly string[];
  readonly start: Start;
  readonly onOutOfRange: OutOfRange;
  readonly positions: readonly Position[];
  readonly isBounded: boolean;
}

export const gapReasons = {
  gone: 'its records are gone, by retention or deletion',
  cut: 'the topic ends before it, perhaps re-created',
} as const;

/** Where every partition goes on: what the checkpoint says, else `start`; kept over reconnects, never taken from Kafka. */
export class ReadingPositions {
  readonly #options: PositionOptions;
  readonly #telemetry: Telemetry;
  readonly #readings = new Map<string, PartitionReading>();
  #isBegun = false;

  constructor(options: PositionOptions, telemetry: Telemetry) {
    this.#options = options;
    this.#telemetry = telemetry;
  }

  get all(): readonly PartitionReading[] {
    return [...this.#readings.values()];
  }

  /** True when a bounded reading has nothing left. */
  get isDone(): boolean {
    return this.#isBegun && this.all.every(isDone);
  }

  /** Undefined for a partition that a bounded reading does not cover. */
  find(topic: string, partition: number): PartitionReading | undefined {
    return this.#readings.get(partitionName({ topic, partition }));
  }

  /** A partition that appeared while reading: every record of it is new. */
  add(topic: string, partition: number): PartitionReading | undefined {
    if (this.#options.isBounded) return undefined;
    return this.#set(topic, partition, 0, -1, Infinity);
  }

  /**
   * Fixes where partitions begin (and end, where bounded) at the first call; takes partitions up that came later.
   * @param startOffsets by `topic:partition`, where `start` is a time.
   */
  begin(ranges: readonly PartitionRange[], startOffsets: ReadonlyMap<string, number>): void {
    for (const range of ranges) {
      if (this.find(range.topic, range.partition) !== undefined) continue;
      if (this.#isBegun && this.#options.isBounded) continue;
      const known = this.#options.positions.find((position) => isSame(position, range));
      const nextOffset = known?.nextOffset ?? this.#startOffset(range, startOffsets);
      const stopOffset = this.#options.isBounded ? range.endOffset : Infinity;
      this.#set(range.topic, range.partition, nextOffset, known?.epoch ?? -1, stopOffset);
    }
    this.#isBegun = true;
  }

  /** Partitions whose position lies outside of what can be read. */
  outOfRange(ranges: readonly PartitionRange[]): readonly PartitionRange[] {
    return ranges.filter((range) => {
      const reading = this.find(range.topic, range.partition);
      return reading !== undefined && (reading.nextOffset < range.firstOffset || reading.nextOffset > range.endOffset);
    });
  }

  /**
   * Goes on elsewhere, as `onOutOfRange` says, and returns the new offset.
   * @throws SourceError `source.outOfRange` where the policy is `stop`.
   */
  leaveGap(reading: PartitionReading, range: PartitionRange, reason: string): number {
    const policy = this.#options.onOutOfRange;
    const { topic, partition, nextOffset: from } = reading;
    if (policy === 'stop') {
      throw new SourceError(
        'source.outOfRange',
        `${partitionName(reading)}: ${reason}. The position is ${from}, but offsets ${range.firstOffset} to ${range.endOffset} can be read. ` +
          'Set source.kafka.onOutOfRange to earliest or latest to go on there and lose what lies between, or start over with --fresh',
        { context: { topic, partition, position: from, firstOffset: range.firstOffset, endOffset: range.endOffset } },
      );
    }
    const to = Math.min(policy === 'earliest' ? range.firstOffset : range.endOffset, reading.stopOffset);
    reading.nextOffset = to;
    reading.epoch = -1;
    this.#telemetry.emit({ type: 'offsetsSkipped', topic, partition, from, to });
    return to;
  }

  #startOffset(range: PartitionRange, startOffsets: ReadonlyMap<string, number>): number {
    const { start, positions } = this.#options;
    // A partition younger than the checkpoint (or than this reading) is new from its first record on.
    if (this.#isBegun || positions.some(({ topic }) => topic === range.topic)) return range.firstOffset;
    if (start === 'earliest') return range.firstOffset;
    if (start === 'latest') return range.endOffset;
    const found = startOffsets.get(partitionName(range)) ?? -1;
    return found < 0 ? range.endOffset : Math.min(found, range.endOffset);
  }

  #set(topic: string, partition: number, nextOffset: number, epoch: number, stopOffset: number): PartitionReading {
    const reading: PartitionReading = { topic, partition, nextOffset, epoch, stopOffset };
    this.#readings.set(partitionName(reading), reading);
    return reading;
  }
}

/** True when nothing of a bounded partition is left. */
export function isDone(reading: PartitionReading): boolean {
  return reading.nextOffset >= reading.stopOffset;
}

function isSame(a: { topic: string; partition: number }, b: { topic: string; partition: number }): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}
