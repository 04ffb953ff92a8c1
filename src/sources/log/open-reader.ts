import { SourceError } from '../../errors.ts';
import { partitionName, type Position } from '../../records.ts';
import type { Telemetry } from '../../telemetry.ts';
import type { OutOfRange, Start } from '../source.ts';
import { divergence, readEpochs } from './leader-epochs.ts';
import { logRange, offsetAtTime, stableOffsetOf } from './log-range.ts';
import { partitionDirectory } from './partition-directory.ts';
import { PartitionReader } from './partition-reader.ts';

export interface ReaderPlace {
  readonly dir: string;
  readonly topic: string;
  readonly onOutOfRange: OutOfRange;
}

/** A reader at where `start` says. */
export function readerAtStart(place: ReaderPlace, partition: number, start: Start): PartitionReader {
  const { dir, topic } = place;
  return new PartitionReader({ dir, topic, partition, nextOffset: startOffset(place, partition, start), epoch: -1 });
}

function startOffset({ dir, topic }: ReaderPlace, partition: number, start: Start): number {
  if (start === 'earliest') return logRange(dir, topic, partition).startOffset;
  if (start === 'latest') return stableOffsetOf(dir, topic, partition);
  return offsetAtTime(dir, topic, partition, start);
}

/**
 * A reader at a position that was read before. Where the log does not hold it, or holds another history there, the
 * policy decides; a jump is told as `offsetsSkipped`.
 * @throws SourceError `source.outOfRange` under `stop`.
 */
export function readerAtPosition(place: ReaderPlace, position: Position, telemetry: Telemetry): PartitionReader {
  const { dir, topic, onOutOfRange } = place;
  const { partition, nextOffset, epoch } = position;
  const trouble = troubleWith(place, position);
  if (trouble === null) return new PartitionReader({ dir, topic, partition, nextOffset, epoch });
  if (onOutOfRange === 'stop') {
    throw new SourceError(
      'source.outOfRange',
      `${partitionName(position)} in ${dir}: ${trouble.what}; restore the log, set onOutOfRange, or start afresh`,
      { context: { topic, partition, offset: nextOffset, epoch } },
    );
  }
  const to = onOutOfRange === 'latest' ? stableOffsetOf(dir, topic, partition) : trouble.earliestOffset;
  telemetry.emit({ type: 'offsetsSkipped', topic, partition, from: nextOffset, to });
  return new PartitionReader({ dir, topic, partition, nextOffset: to, epoch: -1 });
}

interface Trouble {
  readonly what: string;
  /** First offset that was not read from this log yet. */
  readonly earliestOffset: number;
}

function troubleWith({ dir, topic }: ReaderPlace, { partition, nextOffset, epoch }: Position): Trouble | null {
  const { startOffset: start, endOffset } = logRange(dir, topic, partition);
  if (nextOffset < start) {
    return { what: `position ${nextOffset} is gone, the log starts at ${start}`, earliestOffset: start };
  }
  const parted = divergence(readEpochs(partitionDirectory(dir, topic, partition)), nextOffset, epoch);
  if (parted !== null && nextOffset > 0) {
    const what = `position ${nextOffset} (epoch ${epoch}) is of another history, this log's parts from it at ${parted}`;
    return { what, earliestOffset: Math.max(start, parted) };
  }
  if (nextOffset > endOffset) {
    return { what: `position ${nextOffset} is above the log's end ${endOffset}`, earliestOffset: start };
  }
  return null;
}
