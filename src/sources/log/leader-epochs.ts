import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceDurably } from '../../durable-files.ts';

/** One writer's (or leader's) reign: from which offset on batches carry the epoch. */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

const fileName = 'leader-epoch-checkpoint';

/** The epochs of a partition, ascending; none where the file is missing. */
export function readEpochs(directory: string): EpochStart[] {
  const file = join(directory, fileName);
  if (!existsSync(file)) return [];
  // Kafka's own format: version, count, then a line `epoch startOffset` each.
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(2)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [epoch, startOffset] = line.trim().split(' ').map(Number);
      return { epoch: epoch ?? -1, startOffset: startOffset ?? -1 };
    });
}

/** Begins a new epoch at `nextOffset`, durably, and returns it. Epochs that wrote nothing are dropped, as Kafka does. */
export function beginEpoch(directory: string, nextOffset: number): number {
  const known = readEpochs(directory);
  const epoch = (known.at(-1)?.epoch ?? -1) + 1;
  const epochs = [...known.filter(({ startOffset }) => startOffset < nextOffset), { epoch, startOffset: nextOffset }];
  const lines = epochs.map((entry) => `${entry.epoch} ${entry.startOffset}`);
  replaceDurably(join(directory, fileName), `0\n${epochs.length}\n${lines.join('\n')}\n`);
  return epoch;
}

/**
 * Where the history that a position was read from parts from this log's (KIP-320): the end of the position's epoch,
 * or null where the position is of this log. An offset alone cannot tell, since a lost tail may have been rewritten.
 */
export function divergence(epochs: readonly EpochStart[], nextOffset: number, epoch: number): number | null {
  if (epoch < 0 || epochs.length === 0) return null;
  const later = epochs.find((entry) => entry.epoch > epoch);
  if (later !== undefined) return later.startOffset < nextOffset ? later.startOffset : null;
  // An epoch newer than any here was never written to this log; what it shares with it is unknown.
  return (epochs.at(-1)?.epoch ?? -1) < epoch ? 0 : null;
}
