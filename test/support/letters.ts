import { existsSync, readFileSync } from 'node:fs';

/** Offsets in a dead-letter file, in its order; none where there is no file. */
export function letterOffsets(file: string): number[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { offset: number }).offset);
}
