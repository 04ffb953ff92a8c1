import type { KeyError } from '../records.ts';

/** Rows of a batch looked at, so that it costs the same for large ones. */
const rowsPerBatch = 64;
/** Rows over which errors fade. */
const memory = 100;
/** Keys with fewer rows say too little. */
const fewestRows = 8;
const shownKeys = 10;
/** Keys in each of two generations: one that was not seen while as many others were is forgotten. */
const keysPerGeneration = 5000;
/** At the most so often are the worst looked for. */
const everyMs = 250;

interface Running {
  error: number;
  baselineError: number;
  rows: number;
}

/** Keeps the first `shownKeys`, largest error first. */
function insert(worst: KeyError[], candidate: KeyError): void {
  if (worst.length === shownKeys && candidate.error <= worst[shownKeys - 1]!.error) return;
  if (worst.length === shownKeys) worst.pop();
  const place = worst.findIndex(({ error }) => error < candidate.error);
  worst.splice(place < 0 ? worst.length : place, 0, candidate);
}

/** Keeps errors of keys from a sample of rows, and tells the worst now and then. Memory: at most 10,000 keys. */
export class KeyErrors {
  #young = new Map<number, Running>();
  #old = new Map<number, Running>();
  #toldAtMs = -Infinity;

  /** `error` and `baselineError` of row i of [rowCount]; both finite, else the row is not looked at. */
  add(
    keyIds: Int32Array,
    rowCount: number,
    error: (rowIndex: number) => number,
    baselineError: (rowIndex: number) => number,
  ): void {
    const rows = Math.min(rowCount, rowsPerBatch);
    for (let index = 0; index < rows; index++) {
      const row = Math.floor((index * rowCount) / rows);
      const [own, baseline] = [error(row), baselineError(row)];
      if (Number.isFinite(own) && Number.isFinite(baseline)) this.#learn(this.#of(keyIds[row]!), own, baseline);
    }
  }

  forget(keyIds: Int32Array): void {
    for (const keyId of keyIds) {
      this.#young.delete(keyId);
      this.#old.delete(keyId);
    }
  }

  /** The keys with the largest errors, worst first; null where it was told a moment ago. */
  worst(nowMs: number): readonly KeyError[] | null {
    if (nowMs - this.#toldAtMs < everyMs) return null;
    this.#toldAtMs = nowMs;
    const worst: KeyError[] = [];
    for (const keys of [this.#young, this.#old]) {
      for (const [keyId, running] of keys) if (running.rows >= fewestRows) insert(worst, { keyId, ...running });
    }
    return worst;
  }

  #learn(running: Running, error: number, baselineError: number): void {
    running.rows++;
    const share = 1 / Math.min(running.rows, memory);
    running.error += share * (error - running.error);
    running.baselineError += share * (baselineError - running.baselineError);
  }

  #of(keyId: number): Running {
    const known = this.#young.get(keyId);
    if (known !== undefined) return known;
    if (this.#young.size >= keysPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    const running = this.#old.get(keyId) ?? { error: 0, baselineError: 0, rows: 0 };
    this.#old.delete(keyId);
    this.#young.set(keyId, running);
    return running;
  }
}
