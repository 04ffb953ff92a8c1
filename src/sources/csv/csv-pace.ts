import type { Clock } from '../../clock.ts';

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
