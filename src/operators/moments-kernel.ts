import {
  add,
  addI32,
  and,
  constF64,
  constI32,
  divide,
  equal,
  f64,
  getLocal as get,
  greater,
  greaterOrEqual,
  i32,
  loadFirst,
  loadPair,
  loadSecond,
  moduleBytes,
  multiply,
  repeat,
  select,
  setLocal as set,
  splat,
  squareRoot,
  storeFloat,
  storePair,
  subI32,
  subtract,
  teeLocal as tee,
  toFloats,
  type Code,
} from './wasm-code.ts';

/** Addresses of two columns in the rows that come in and go out, so many rows, bytes between rows, where the state stands. */
const [inA, inB, outA, outB, rows, inStep, outStep, state] = [0, 1, 2, 3, 4, 5, 6, 7];
/** Most values that count, and by how much the spread fades with each value beyond them. */
const [memory, fade] = [8, 9];
const parameters = [i32, i32, i32, i32, i32, i32, i32, i32, f64, f64];
const [count, mean, m2, value, delta, newCount, newMean, newM2, isNumber, isFull, variance] = [
  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
];
const [ones, memories, fades] = [21, 22, 23];
const vectors = 14;

/** Keeps what a lane had where its value is missing. */
const update = (local: number, changed: number): Code => [
  ...[...get(changed), ...get(local), ...get(isNumber), ...select, ...set(local)],
];
const step = (address: number, bytes: number): Code => [...get(address), ...get(bytes), ...addI32, ...set(address)];

/** One row of two columns: Welford's step, then the value standardized by it. */
const row: Code = [
  // isNumber = value == value
  ...[...get(inB), ...get(inA), ...loadFirst, ...loadSecond, ...tee(value), ...get(value), ...equal, ...set(isNumber)],
  // newCount = isFull ? count : count + 1
  ...[...get(count), ...get(memories), ...greaterOrEqual, ...set(isFull)],
  ...[...get(count), ...get(count), ...get(ones), ...add, ...get(isFull), ...select, ...set(newCount)],
  // delta = value - mean; newMean = delta / newCount + mean
  ...[...get(value), ...get(mean), ...subtract, ...tee(delta)],
  ...[...get(newCount), ...divide, ...get(mean), ...add, ...set(newMean)],
  // newM2 = (isFull ? m2 * fade : m2) + delta * (value - newMean); delta is the difference from the new mean from here on
  ...[...get(m2), ...get(fades), ...multiply, ...get(m2), ...get(isFull), ...select],
  ...[...get(delta), ...get(value), ...get(newMean), ...subtract, ...tee(delta), ...multiply, ...add, ...set(newM2)],
  // out = delta / (variance > 0 ? sqrt(variance) : 1), 0 where it is missing
  ...[...get(newM2), ...get(newCount), ...divide, ...set(variance)],
  ...[...get(outA), ...get(delta), ...get(variance), ...squareRoot, ...get(ones)],
  ...[...get(variance), ...constF64(0), ...splat, ...greater, ...select, ...divide],
  ...[...get(isNumber), ...and, ...toFloats, ...tee(value), ...storeFloat(0)],
  ...[...get(outB), ...get(value), ...storeFloat(1)],
  ...[...update(count, newCount), ...update(mean, newMean), ...update(m2, newM2)],
];

const body: Code = [
  ...[...constF64(1), ...splat, ...set(ones)],
  ...[...get(memory), ...splat, ...set(memories), ...get(fade), ...splat, ...set(fades)],
  ...[...get(state), ...loadPair(0), ...set(count), ...get(state), ...loadPair(16), ...set(mean)],
  ...[...get(state), ...loadPair(32), ...set(m2)],
  ...repeat([
    ...row,
    ...[...step(inA, inStep), ...step(inB, inStep), ...step(outA, outStep), ...step(outB, outStep)],
    ...[...get(rows), ...constI32(1), ...subI32, ...tee(rows)],
  ]),
  ...[...get(state), ...get(count), ...storePair(0), ...get(state), ...get(mean), ...storePair(16)],
  ...[...get(state), ...get(m2), ...storePair(32)],
];

type Run = (...parameters: readonly number[]) => void;

/** As much of it as is used here; TypeScript declares it for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly run: Run } };
};

const kernelModule = new WebAssembly.Module(moduleBytes({ parameters, vectors, body }));

const pageBytes = 65_536;
const stateBytes = 48;
/** Rows on the way in and out stay in the second cache. */
const tileBytes = 96 * 1024;

/** What is known of each column, [width] each. */
export interface ColumnMoments {
  readonly counts: Float64Array;
  readonly means: Float64Array;
  /** Sums of squared deviations. */
  readonly m2s: Float64Array;
}

/**
 * Learns and standardizes rows two columns at a time. Divisions and square roots are nearly all that this costs, and a
 * processor does two of them in the time of one: 1.6 times as fast as the same in JavaScript (8 features), bit by bit equal.
 */
export class MomentsKernel {
  readonly #width: number;
  readonly #memory: number;
  readonly #tileRows: number;
  /** Counts, means and sums of squares of two columns. */
  readonly #state: Float64Array;
  readonly #in: Float64Array;
  readonly #out: Float32Array;
  readonly #run: Run;

  /** `width`: columns of a row; `memory`: whole. */
  constructor(width: number, memory: number) {
    this.#width = width;
    this.#memory = memory;
    this.#tileRows = Math.max(16, Math.floor(tileBytes / (12 * width)));
    const cells = this.#tileRows * width;
    const shared = new WebAssembly.Memory({ initial: Math.ceil((stateBytes + 12 * cells) / pageBytes) });
    this.#state = new Float64Array(shared.buffer, 0, stateBytes / 8);
    this.#in = new Float64Array(shared.buffer, stateBytes, cells);
    this.#out = new Float32Array(shared.buffer, stateBytes + 8 * cells, cells);
    this.#run = new WebAssembly.Instance(kernelModule, { host: { memory: shared } }).exports.run;
  }

  /** Standardizes these columns of `features` [rowCount × width] into `out`, whose other columns hold nothing of use then. */
  normalize(
    columns: readonly number[],
    moments: ColumnMoments,
    features: Float64Array,
    out: Float32Array,
    rowCount: number,
  ): void {
    const width = this.#width;
    for (let start = 0; start < rowCount; start += this.#tileRows) {
      const tileRows = Math.min(this.#tileRows, rowCount - start);
      const [from, to] = [start * width, (start + tileRows) * width];
      this.#in.set(features.subarray(from, to));
      for (let index = 0; index < columns.length; index += 2) {
        // An odd one is its own partner.
        this.#normalizePair(columns[index]!, columns[index + 1] ?? columns[index]!, moments, tileRows);
      }
      out.set(this.#out.subarray(0, to - from), from);
    }
  }

  #normalizePair(first: number, second: number, { counts, means, m2s }: ColumnMoments, rowCount: number): void {
    const state = this.#state;
    state[0] = counts[first]!;
    state[1] = counts[second]!;
    state[2] = means[first]!;
    state[3] = means[second]!;
    state[4] = m2s[first]!;
    state[5] = m2s[second]!;
    this.#run(
      this.#in.byteOffset + 8 * first,
      this.#in.byteOffset + 8 * second,
      this.#out.byteOffset + 4 * first,
      this.#out.byteOffset + 4 * second,
      rowCount,
      8 * this.#width,
      4 * this.#width,
      0,
      this.#memory,
      (this.#memory - 1) / this.#memory,
    );
    counts[first] = state[0];
    counts[second] = state[1];
    means[first] = state[2];
    means[second] = state[3];
    m2s[first] = state[4];
    m2s[second] = state[5];
  }
}
