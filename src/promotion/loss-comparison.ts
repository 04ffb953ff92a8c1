import type { LossComparison } from '../records.ts';

/** Blocks that the rows are cut into. */
export const blockCount = 20;
/** Rows that are too few to compare on. */
export const fewestRows = 5 * blockCount;

/**
 * Compares the losses of two versions on the same rows, in the order of the stream.
 *
 * Rows that follow each other are alike, so they are no independent witnesses; blocks of them nearly are (batch means:
 * Schmeiser 1982). In each block the fraction counts by which the mean loss lies above the other's; then the median of the
 * blocks (median of means: Nemirovsky and Yudin 1983; Lugosi and Mendelson 2019) and its distribution-free bounds by order
 * statistics (Conover, Practical Nonparametric Statistics, section 3.2). So no row, however far off, and no run of rows
 * shorter than a few blocks can move the judgement.
 *
 * All numbers are finite, so that they travel as JSON: a mean loss that is not is Number.MAX_VALUE.
 *
 * @param floor a loss that is as good as none: what lies far below it is no difference.
 * @param confidence of each bound by itself; 20 blocks give at most 0.999999.
 */
export function compareLosses(
  losses: Float64Array,
  others: Float64Array,
  floor: number,
  confidence: number,
): LossComparison {
  const changes = Float64Array.from({ length: blockCount }, (_, block) => {
    const [from, to] = [block, block + 1].map((edge) => Math.floor((edge * losses.length) / blockCount)) as [
      number,
      number,
    ];
    const [mean, otherMean] = [losses, others].map((each) => meanOf(each.subarray(from, to)) + floor) as [
      number,
      number,
    ];
    if (Number.isFinite(mean)) return Math.min(mean / otherMean - 1, Number.MAX_VALUE);
    return Number.isFinite(otherMean) ? Number.MAX_VALUE : 0;
  }).sort();
  const rank = upperRank(confidence);
  return {
    rows: losses.length,
    loss: Math.min(meanOf(losses), Number.MAX_VALUE),
    otherLoss: Math.min(meanOf(others), Number.MAX_VALUE),
    change: (changes[blockCount / 2 - 1]! + changes[blockCount / 2]!) / 2,
    atLeast: changes[blockCount - rank]!,
    atMost: changes[rank - 1]!,
  };
}

/** The least k for which the k-th smallest block lies above the median with this confidence: P(Bin(20, ½) < k). */
export function upperRank(confidence: number): number {
  let [share, ways] = [0, 1];
  for (let k = 1; k <= blockCount; k += 1) {
    share += ways / 2 ** blockCount;
    if (share >= confidence) return k;
    ways = (ways * (blockCount - k + 1)) / k;
  }
  return blockCount;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
