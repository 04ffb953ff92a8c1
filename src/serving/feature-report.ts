import { largestGap, movedShare } from './drift.ts';
import { earlierRows, sampledPerSecond, type FeatureSample } from './feature-sample.ts';

/** A feature as the page lists it. */
export interface ShownFeature {
  readonly name: string;
  readonly field: string;
  readonly kind: 'plain' | 'cyclic' | 'oneHot' | 'lag';
  /** No value of it is shown. */
  readonly isSensitive: boolean;
  /** Names of the categories by id; empty unless one-hot. */
  readonly categories: () => readonly string[];
}

/** Shares of the rows in one bin or category, 0 to 1. */
export interface Bin {
  readonly label: string;
  readonly recent: number;
  /** Null while there are too few rows to compare with. */
  readonly earlier: number | null;
}

export interface FeatureStatus {
  readonly name: string;
  readonly field: string;
  readonly kind: ShownFeature['kind'];
  readonly isSensitive: boolean;
  /** Share of the latest rows in which it is missing. */
  readonly missing: number | null;
  /** Distance of the latest rows from those before, 0 to 1: see `drift.ts`. Null while there are too few to compare with. */
  readonly drift: number | null;
  /** Of the latest rows: the 5th percentile, the median and the 95th; null where sensitive, one-hot, or nothing was seen. */
  readonly quantiles: readonly [number, number, number] | null;
  /** Bins of equal width over where both samples lie, or categories; empty where sensitive. */
  readonly bins: readonly Bin[];
}

/** How features were distributed lately, beside how they were before. */
export interface FeaturesStatus {
  readonly recentRows: number;
  readonly earlierRows: number;
  readonly sampledPerSecond: number;
  /** Features in all; the first of them are listed. */
  readonly total: number;
  readonly list: readonly FeatureStatus[];
}

export const maxListed = 60;
const binCount = 24;
const maxCategories = 12;
/** Fewer earlier rows tell too little of how it was. */
const fewestEarlier = 200;
/** Values beyond these shares count into the outermost bins, so that one wild value does not squeeze the rest into one. */
const outer = 0.005;

/** Sorts samples: some tenths of a millisecond a feature, so not for every update. */
export function featuresStatus(features: readonly ShownFeature[], sample: FeatureSample): FeaturesStatus {
  const list = features.slice(0, maxListed).map((feature, index) => featureStatus(feature, index, sample));
  return {
    recentRows: sample.recent(0).rows,
    earlierRows: Math.min(sample.earlier(0).rows, earlierRows),
    sampledPerSecond,
    total: features.length,
    list,
  };
}

interface Samples {
  readonly recent: Float64Array;
  /** Null while there are too few. */
  readonly earlier: Float64Array | null;
}

function featureStatus(feature: ShownFeature, index: number, sample: FeatureSample): FeatureStatus {
  const { values: recent, rows } = sample.recent(index);
  const before = sample.earlier(index).values;
  const samples: Samples = { recent, earlier: before.length < fewestEarlier ? null : before };
  const { name, field, kind, isSensitive } = feature;
  const missing = rows === 0 ? null : rounded(1 - recent.length / rows);
  const shown = kind === 'oneHot' ? categoryStatus(feature, samples) : numberStatus(samples);
  return { name, field, kind, isSensitive, missing, ...shown, ...(isSensitive ? { quantiles: null, bins: [] } : {}) };
}

type Shown = Pick<FeatureStatus, 'drift' | 'quantiles' | 'bins'>;

function numberStatus({ recent, earlier }: Samples): Shown {
  if (recent.length === 0) return { drift: null, quantiles: null, bins: [] };
  const both = [recent, ...(earlier === null ? [] : [earlier])];
  const from = Math.min(...both.map((values) => at(values, outer)));
  const to = Math.max(...both.map((values) => at(values, 1 - outer)));
  const width = (to - from) / binCount;
  const recentShares = binShares(recent, from, width);
  const earlierShares = earlier === null ? null : binShares(earlier, from, width);
  return {
    drift: earlier === null ? null : rounded(largestGap(recent, earlier)),
    quantiles: [at(recent, 0.05), at(recent, 0.5), at(recent, 0.95)],
    bins: recentShares.map((share, bin) => ({
      label: String(Number((from + bin * width).toPrecision(4))),
      recent: rounded(share),
      earlier: earlierShares === null ? null : rounded(earlierShares[bin]!),
    })),
  };
}

function categoryStatus({ categories }: ShownFeature, { recent, earlier }: Samples): Shown {
  const names = categories();
  const recentShares = categoryShares(recent, names.length);
  const earlierShares = earlier === null ? null : categoryShares(earlier, names.length);
  const bins = [...names, 'other'].map((label, id) => ({
    label,
    recent: rounded(recentShares[id]!),
    earlier: earlierShares === null ? null : rounded(earlierShares[id]!),
  }));
  const drift = earlierShares === null || recent.length === 0 ? null : rounded(movedShare(recentShares, earlierShares));
  const seen = bins.filter(({ recent: now, earlier: before }) => now + (before ?? 0) > 0);
  return { drift, quantiles: null, bins: seen.sort((a, b) => b.recent - a.recent).slice(0, maxCategories) };
}

/** The value below which a share of ascending values lies. */
function at(values: Float64Array, share: number): number {
  return values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
}

function binShares(values: Float64Array, from: number, width: number): number[] {
  const counts = new Array<number>(binCount).fill(0);
  for (const value of values) {
    const bin = width > 0 ? Math.floor((value - from) / width) : 0;
    counts[Math.min(binCount - 1, Math.max(0, bin))]! += 1;
  }
  return counts.map((count) => count / values.length);
}

/** The last one is of all categories without a name of their own. */
function categoryShares(ids: Float64Array, names: number): number[] {
  const counts = new Array<number>(names + 1).fill(0);
  for (const id of ids) counts[Math.min(names, id)]! += 1;
  return counts.map((count) => count / Math.max(1, ids.length));
}

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}
