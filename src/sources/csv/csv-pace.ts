/** The time of day, and waiting for it. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Resolves at `timeMs`, or at once when `signal` aborts. */
  waitUntil(timeMs: number, signal: AbortSignal): Promise<void>;
}

/** A timer can wait this long at the most (2³¹ − 1 ms). */
const maxTimerMs = 0x7fffffff;

export const wallClock: Clock = {
  now: () => Date.now(),
  waitUntil: async (timeMs, signal) => {
    for (let leftMs = timeMs - Date.now(); leftMs > 0 && !signal.aborted; leftMs = timeMs - Date.now()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(leftMs, maxTimerMs));
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  },
};

/** Maps event time to the clock: `speed` seconds of event time pass in one second. */
export class Pace {
  readonly #speed: number;
  readonly #clock: Clock;
  #origin: { readonly eventMs: number; readonly clockMs: number } | null = null;
  #lastDueMs = -Infinity;

  constructor(speed: number, clock: Clock) {
    this.#speed = speed;
    this.#clock = clock;
  }

  /** When an event is due, in the clock's milliseconds. The first one is due now, one without a time with the one before it. */
  dueMs(eventMs: number): number {
    if (Number.isNaN(eventMs)) return this.#lastDueMs;
    this.#origin ??= { eventMs, clockMs: this.#clock.now() };
    this.#lastDueMs = this.#origin.clockMs + (eventMs - this.#origin.eventMs) / this.#speed;
    return this.#lastDueMs;
  }
}
