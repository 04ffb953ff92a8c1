/** How it went at one moment. */
export interface HistoryPoint {
  readonly ms: number;
  readonly rowsPerSecond: number;
  /** Loss of the served model's latest step. */
  readonly loss: number | null;
  /** The leading metric over the fading window, by model, the baseline under `baseline`. */
  readonly scores: Readonly<Record<string, number | null>>;
}

/** Points of a whole run within a bound: when full, every other one goes and the interval doubles. */
export class History {
  readonly #maxPoints: number;
  #intervalMs: number;
  #points: HistoryPoint[] = [];
  #revision = 0;

  constructor(maxPoints: number, intervalMs: number) {
    this.#maxPoints = maxPoints;
    this.#intervalMs = intervalMs;
  }

  /** Oldest first. Grows at its end only while `revision` stays the same. */
  get points(): readonly HistoryPoint[] {
    return this.#points;
  }

  get revision(): number {
    return this.#revision;
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** True where a point at `nowMs` would be at least an interval after the last one. */
  isDue(nowMs: number): boolean {
    const last = this.#points.at(-1);
    return last === undefined || nowMs - last.ms >= this.#intervalMs;
  }

  add(point: HistoryPoint): void {
    this.#points.push(point);
    if (this.#points.length < this.#maxPoints) return;
    this.#points = this.#points.filter((_, index) => index % 2 === 1);
    this.#intervalMs *= 2;
    this.#revision += 1;
  }
}
