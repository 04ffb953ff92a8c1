const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1240 → `1,240`. */
export function countOf(value: number): string {
  return whole.format(value);
}

/** A score with three or four digits that matter. */
export function scoreOf(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: Math.abs(value) < 1 ? 3 : 4, useGrouping: false });
}

/** A fraction as a percentage with one digit after the point: 0.148 → `14.8 %`. */
export function percentOf(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}

/** Seconds in the unit that people would say: `0.3 s`, `12 s`, `4 min`, `3 h`, `2 d`. */
export function durationOf(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${whole.format(seconds)} s`;
  if (seconds < 2 * 3600) return `${whole.format(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${whole.format(seconds / 3600)} h`;
  return `${whole.format(seconds / 86_400)} d`;
}

/** A moment as the clock of this machine shows it: `12:04:10`. */
export function clockOf(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** The kind of a baseline as one would compare with it. */
export function baselineWords(kind: string): string {
  if (kind === 'lastValue') return 'last value';
  if (kind === 'mean') return 'the mean';
  return kind === 'majority' ? 'the majority class' : kind;
}
