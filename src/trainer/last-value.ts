import { type Learner, noBadRows, type Rows } from './learner.ts';

/**
 * Predicts the key's latest known target, never a change of it; for classes with probability 1. Has no state: rows carry it.
 * `outputCount`: 1 for regression, else the most classes.
 */
export function lastValueLearner(task: 'regression' | 'classification', outputCount: number): Learner {
  const predict = (rows: Rows): Float64Array => {
    if (task === 'regression') return rows.lastTargets.slice(0, rows.rowCount);
    const probabilities = new Float64Array(rows.rowCount * outputCount);
    for (let i = 0; i < rows.rowCount; i++) {
      if (rows.lastTargets[i]! >= 0) probabilities[i * outputCount + rows.lastTargets[i]!] = 1;
    }
    return probabilities;
  };
  return {
    predict,
    learn: (rows) => ({ predictions: predict(rows), loss: NaN, applied: true, badRows: noBadRows }),
    weights: () => [],
    snapshot: () => ({ json: {}, arrays: {} }),
    restore: () => undefined,
    dispose: () => undefined,
  };
}
