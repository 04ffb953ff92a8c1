/** The time of day, and waiting for it; tests hand in one of their own. */
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
