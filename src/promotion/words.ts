import type { LossComparison } from '../records.ts';

/** How a loss compares with the other's: `on recent rows its loss is 12 % above (8 to 20 %)`. */
export function onRows(rows: 'recent' | 'older', { change, atLeast, atMost }: LossComparison): string {
  const [side, least, most] = change >= 0 ? ['above', atLeast, atMost] : ['below', -atMost, -atLeast];
  return `on ${rows} rows its loss is ${percent(Math.abs(change))} % ${side} (${percent(least)} to ${percent(most)} %)`;
}

function percent(fraction: number): string {
  const value = 100 * fraction;
  return Number.isFinite(value) ? String(Number(value.toPrecision(2))) : 'infinitely many';
}
