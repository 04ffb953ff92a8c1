import type { Predictor, RawRows, ServedVersion } from '../../src/serving/predictor.ts';

/** What a predictor of sums can be told to do otherwise. */
export interface SumOptions {
  readonly classes?: readonly string[];
  /** Why `shadow` cannot answer. */
  readonly refusal?: string;
}

/** A version of two features, a and b, whose served model adds them up times its step, and whose shadow answers 0. */
export function sumVersion(step: number, { classes, refusal }: SumOptions = {}): ServedVersion {
  return {
    id: `checkpoint-${step}`,
    step,
    trainedThrough: { time: new Date(1000 * step).toISOString(), positions: { 'readings:0': 10 * step } },
    classes: classes ?? null,
    refusal: (model) => (model === 'shadow' ? (refusal ?? null) : null),
    predict: (model, { rowCount, features }) => {
      const width = classes?.length ?? 1;
      const outputs = new Float64Array(rowCount * width);
      for (let row = 0; row < rowCount; row += 1) {
        const sum = step * (features[2 * row]! + features[2 * row + 1]!);
        if (model === 'main') outputs[row * width] = sum;
        if (width > 1) outputs[row * width + 1] = 1 - sum;
      }
      return Promise.resolve(outputs);
    },
  };
}

/** Predicts by a version that may be replaced at any moment. */
export class SumPredictor implements Predictor {
  readonly fields = [
    { name: 'a', type: 'number', isRequired: true },
    { name: 'b', type: 'number', isRequired: false },
  ] as const;
  readonly columns = ['a', 'b'];
  readonly task = 'regression';
  version: ServedVersion | null;

  constructor(version: ServedVersion | null) {
    this.version = version;
  }

  rowsOf(records: readonly unknown[]): ReturnType<Predictor['rowsOf']> {
    const numbers = records.map((record) => (record ?? {}) as { a?: unknown; b?: number });
    const bad = numbers.findIndex(({ a }) => typeof a !== 'number');
    return {
      rows: this.rowsOfFeatures(
        Float64Array.from(numbers.flatMap(({ a, b }) => [typeof a === 'number' ? a : NaN, b ?? 0])),
      ),
      faults: bad < 0 ? [] : [{ row: bad, field: 'a', expected: 'a number', found: typeof numbers[bad]!.a }],
      missing: numbers.map(({ b }) => (b === undefined ? ['b'] : [])),
    };
  }

  rowsOfFeatures(features: Float64Array): RawRows {
    const rowCount = features.length / 2;
    return { rowCount, features, ownTargets: new Float64Array(rowCount), keyIds: new Int32Array(rowCount) };
  }
}
