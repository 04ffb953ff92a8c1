import type { Clock } from '../../src/clock.ts';

/** Time that passes only where somebody waits for it. */
export function virtualClock(startMs: number): Clock & { readonly waits: number[] } {
  let nowMs = startMs;
  const waits: number[] = [];
  return {
    waits,
    now: () => nowMs,
    waitUntil: (timeMs) => {
      waits.push(timeMs);
      nowMs = Math.max(nowMs, timeMs);
      return Promise.resolve();
    },
  };
}
