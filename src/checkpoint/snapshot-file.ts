import type { JsonValue, Snapshot, TypedArray } from '../records.ts';

interface ArrayEntry {
  readonly name: string;
  readonly type: keyof typeof constructors;
  readonly length: number;
  readonly byteOffset: number;
}

const constructors = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array };
/** Arrays start at multiples of this, so that a file can be viewed in place. */
const alignment = 8;

/** A snapshot as two files: JSON with a directory of arrays, and the arrays' little-endian bytes. */
export function encodeSnapshot(snapshot: Snapshot): { readonly json: string; readonly arrays: Uint8Array } {
  const directory: ArrayEntry[] = [];
  let size = 0;
  for (const [name, array] of Object.entries(snapshot.arrays)) {
    directory.push({ name, type: typeName(array), length: array.length, byteOffset: size });
    size += Math.ceil(array.byteLength / alignment) * alignment;
  }
  const bytes = new Uint8Array(size);
  for (const { name, byteOffset } of directory) {
    const array = snapshot.arrays[name];
    if (array !== undefined) bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), byteOffset);
  }
  return { json: JSON.stringify({ json: snapshot.json, arrays: directory }), arrays: bytes };
}

/** The inverse; `bytes` must be what `encodeSnapshot` gave (its digest was checked). */
export function decodeSnapshot(json: string, bytes: Uint8Array): Snapshot {
  const parsed = JSON.parse(json) as { json: JsonValue; arrays: readonly ArrayEntry[] };
  // A copy of its own: file buffers come from a shared pool at any alignment.
  const { buffer } = new Uint8Array(bytes);
  const arrays = Object.fromEntries(
    parsed.arrays.map(({ name, type, length, byteOffset }) => [
      name,
      new constructors[type](buffer, byteOffset, length),
    ]),
  );
  return { json: parsed.json, arrays };
}

function typeName(array: TypedArray): ArrayEntry['type'] {
  return array.constructor.name as ArrayEntry['type'];
}
