import { CheckpointError } from '../errors.ts';
import type { TypedArray } from '../records.ts';

export type Arrays = Readonly<Record<string, TypedArray>>;

/** The same arrays with `prefix.` before their names. */
export function withPrefix(prefix: string, arrays: Arrays): Record<string, TypedArray> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${prefix}.${name}`, array]));
}

/** The arrays below `prefix.`, named without it. */
export function below(prefix: string, arrays: Arrays): Record<string, TypedArray> {
  const start = `${prefix}.`;
  const parts = Object.entries(arrays).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(parts.map(([name, array]) => [name.slice(start.length), array]));
}

/**
 * The array of that name as a Float64Array.
 * @throws CheckpointError where it is missing, of another type, or of another length than asked for.
 */
export function float64Array(arrays: Arrays, name: string, length?: number): Float64Array {
  return checked(arrays, name, Float64Array, length);
}

export function float32Array(arrays: Arrays, name: string, length?: number): Float32Array {
  return checked(arrays, name, Float32Array, length);
}

export function int32Array(arrays: Arrays, name: string, length?: number): Int32Array {
  return checked(arrays, name, Int32Array, length);
}

export function uint8Array(arrays: Arrays, name: string, length?: number): Uint8Array {
  return checked(arrays, name, Uint8Array, length);
}

function checked<T extends TypedArray>(
  arrays: Arrays,
  name: string,
  type: abstract new (...parameters: never) => T,
  length: number | undefined,
): T {
  const array = arrays[name];
  if (!(array instanceof type) || (length !== undefined && array.length !== length)) {
    const found = array === undefined ? 'nothing' : `${array.constructor.name} of ${array.length}`;
    const expected = length === undefined ? type.name : `${type.name} of ${length}`;
    throw new CheckpointError('checkpoint.damaged', `trainer state "${name}" is ${found}, expected ${expected}`, {
      context: { array: name },
    });
  }
  return array;
}
