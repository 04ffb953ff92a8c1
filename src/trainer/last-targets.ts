import type { Snapshot } from '../records.ts';
import { float64Array, int32Array } from './snapshot-parts.ts';

/** The latest target known of each key id, from the trainer's part of a checkpoint; original units or class index. */
export function lastTargetsOf({ arrays }: Snapshot): ReadonlyMap<number, number> {
  const ids = int32Array(arrays, 'labels.keys.ids');
  const targets = float64Array(arrays, 'labels.keys.lastTargets', ids.length);
  return new Map(Array.from(ids, (id, index) => [id, targets[index]!]));
}
