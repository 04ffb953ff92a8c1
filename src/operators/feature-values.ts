import { featureColumns, type FeatureSpec } from './feature-plan.ts';

/** Reads one value a feature back from the columns of a row that begins at `at`, into `out` [features]; NaN is missing. */
export type ReadFeatures = (columns: Float64Array, at: number, out: Float64Array) => void;

/**
 * What features were before `derive` spread them over columns: a cyclic one is a value in [0, period) again, a one-hot one the
 * id of its category, `max` for all others.
 */
export function featureReader(features: readonly FeatureSpec[]): ReadFeatures {
  const columns = featureColumns(features);
  const readers = features.map((spec) =>
    reader(
      spec,
      columns.findIndex(({ feature }) => feature === spec.name),
    ),
  );
  return (row, at, out) => {
    for (const [feature, read] of readers.entries()) out[feature] = read(row, at);
  };
}

function reader(spec: FeatureSpec, column: number): (row: Float64Array, at: number) => number {
  switch (spec.kind) {
    case 'plain':
    case 'lag':
      return (row, at) => row[at + column]!;
    case 'cyclic':
      return (row, at) => {
        const turn = Math.atan2(row[at + column]!, row[at + column + 1]!) / (2 * Math.PI);
        return (turn < 0 ? turn + 1 : turn) * spec.period;
      };
    case 'oneHot':
      return (row, at) => {
        const id = row.subarray(at + column, at + column + spec.max + 1).indexOf(1);
        return id < 0 ? Number.NaN : id;
      };
  }
}
