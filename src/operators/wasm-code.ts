/**
 * As much of WebAssembly's binary format as a loop over pairs of doubles needs: instructions by name, and a module of one
 * function. Opcodes are those of the WebAssembly specification, 2.0, chapter 5.4.
 */

/** Bytes of one instruction, or of several in a row. */
export type Code = readonly number[];

/** Types of values: a 32-bit integer, a double, and a vector of 128 bits. */
export const i32 = 0x7f;
export const f64 = 0x7c;
export const v128 = 0x7b;

export const getLocal = (local: number): Code => [0x20, ...unsigned(local)];
export const setLocal = (local: number): Code => [0x21, ...unsigned(local)];
export const teeLocal = (local: number): Code => [0x22, ...unsigned(local)];

export const constI32 = (value: number): Code => [0x41, ...unsigned(value)];
export const constF64 = (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)];
export const addI32: Code = [0x6a];
export const subI32: Code = [0x6b];

/** Runs the body again as long as it leaves another number than 0. */
export const repeat = (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0, 0x0b];

/** Two doubles side by side; comparisons give all bits set or none in each lane. */
export const splat = simd(0x14);
export const equal = simd(0x47);
export const greater = simd(0x4a);
export const greaterOrEqual = simd(0x4c);
export const and = simd(0x4e);
/** Of `a`, `b`, `mask`: the bits of `a` where the mask has ones, else those of `b`. */
export const select = simd(0x52);
export const squareRoot = simd(0xef);
export const add = simd(0xf0);
export const subtract = simd(0xf1);
export const multiply = simd(0xf2);
export const divide = simd(0xf3);
/** Rounds to floats, in the lower half. */
export const toFloats = simd(0x5e);

export const loadPair = (offset: number): Code => simd(0x00, 4, ...unsigned(offset));
export const storePair = (offset: number): Code => simd(0x0b, 4, ...unsigned(offset));
/** A double into the first lane; into the second of the vector on the stack. */
export const loadFirst = simd(0x5d, 3, 0);
export const loadSecond = simd(0x57, 3, 0, 1);
export const storeFloat = (lane: number): Code => simd(0x5a, 2, 0, lane);

interface FunctionCode {
  readonly parameters: readonly number[];
  /** Locals behind the parameters, all vectors. */
  readonly vectors: number;
  readonly body: Code;
}

/** A module that imports the memory `host.memory` and exports one function without a result as `run`. */
export function moduleBytes({ parameters, vectors, body }: FunctionCode): Uint8Array<ArrayBuffer> {
  const code = [...list([[...unsigned(vectors), v128]]), ...body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, ...list(parameters.map((type) => [type])), 0]]),
    ...section(2, [[...name('host'), ...name('memory'), 2, 0, 1]]),
    ...section(3, [[0]]),
    ...section(7, [[...name('run'), 0, 0]]),
    ...section(10, [[...unsigned(code.length), ...code]]),
  ]);
}

function simd(opcode: number, ...immediates: readonly number[]): Code {
  return [0xfd, ...unsigned(opcode), ...immediates];
}

function section(id: number, items: readonly Code[]): Code {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): Code {
  return list([...Buffer.from(text)].map((byte) => [byte]));
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
