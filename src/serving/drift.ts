/** How far two samples are apart, from 0 (alike) to 1 (nothing in common). */

/**
 * The largest gap between the shares of two samples that lie at or below a value: the two-sample statistic of Kolmogorov and
 * Smirnov (Smirnov 1939). Both ascending and not empty.
 */
export function largestGap(a: Float64Array, b: Float64Array): number {
  let [i, j, gap] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! <= value) i += 1;
    while (j < b.length && b[j]! <= value) j += 1;
    gap = Math.max(gap, Math.abs(i / a.length - j / b.length));
  }
  return gap;
}

/** The share of one sample that would have to change its category to be like the other: their total variation distance. */
export function movedShare(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, share, category) => sum + Math.abs(share - b[category]!), 0) / 2;
}
