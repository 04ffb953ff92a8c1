import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of one partition: `<dir>/<topic>-<partition>`. */
export function partitionDirectory(dir: string, topic: string, partition: number): string {
  return join(dir, `${topic}-${partition}`);
}

/** Partitions of a topic that have a folder, ascending; none where `dir` does not exist. */
export function listPartitions(dir: string, topic: string): number[] {
  const prefix = `${topic}-`;
  return names(dir)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((suffix) => /^(0|[1-9]\d{0,8})$/.test(suffix))
    .map(Number)
    .sort((left, right) => left - right);
}

/** Base offsets of a partition's segments, ascending. Files that a broker is about to swap in or delete do not count. */
export function segmentBases(directory: string): number[] {
  return names(directory)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .map((name) => Number(name.slice(0, 20)))
    .sort((left, right) => left - right);
}

export function segmentFile(directory: string, baseOffset: number): string {
  return join(directory, `${String(baseOffset).padStart(20, '0')}.log`);
}

/** True where a broker keeps, or kept, its data: only such a directory may be compacted, and nobody else writes there. */
export function isBrokerDirectory(dir: string): boolean {
  return existsSync(join(dir, 'meta.properties'));
}

/** What a broker's `log-start-offset-checkpoint` says of a partition (records below were deleted), 0 without one. */
export function deletedBelow(dir: string, topic: string, partition: number): number {
  const file = join(dir, 'log-start-offset-checkpoint');
  if (!existsSync(file)) return 0;
  const wanted = `${topic} ${partition} `;
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(wanted));
  return line === undefined ? 0 : Number(line.slice(wanted.length));
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
