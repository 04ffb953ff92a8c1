/** Rows per second over the last few seconds. */
export class RateMeter {
  readonly #windowMs: number;
  readonly #spacingMs: number;
  #total = 0;
  /** Totals at moments, oldest first, at most one a spacing. */
  readonly #samples: { ms: number; total: number }[] = [];

  constructor(windowMs = 3000) {
    this.#windowMs = windowMs;
    this.#spacingMs = windowMs / 12;
  }

  add(rows: number, nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last === undefined || nowMs - last.ms >= this.#spacingMs) this.#samples.push({ ms: nowMs, total: this.#total });
    this.#total += rows;
    this.#forget(nowMs);
  }

  /** 0 once nothing was added for a whole window; in the first second the rate of a whole one. */
  perSecond(nowMs: number): number {
    this.#forget(nowMs);
    const oldest = this.#samples[0];
    return oldest === undefined ? 0 : ((this.#total - oldest.total) * 1000) / Math.max(1000, nowMs - oldest.ms);
  }

  #forget(nowMs: number): void {
    while ((this.#samples[0]?.ms ?? Infinity) < nowMs - this.#windowMs) this.#samples.shift();
  }
}
