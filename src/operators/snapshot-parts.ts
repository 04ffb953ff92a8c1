import assert from 'node:assert/strict';
import type { Snapshot, TypedArray } from '../records.ts';

/** A named array of a snapshot, of the type that it was written with. */
export function arrayOf<Array extends TypedArray>(
  snapshot: Snapshot,
  name: string,
  type: new (length: number) => Array,
): Array {
  const array = snapshot.arrays[name];
  assert.ok(array instanceof type, `the snapshot has no ${type.name} "${name}"`);
  return array;
}
