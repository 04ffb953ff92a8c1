/** How far a prediction of row `rowIndex` is off. `predictions`: [rows × outputCount]. */
export type RowError = (label: number, predictions: Float64Array, rowIndex: number) => number;

/** The absolute error in original units, or 1 where another class is likelier than the label, else 0; NaN where not finite. */
export function rowError(task: 'regression' | 'classification', outputCount: number): RowError {
  if (task === 'regression') return (label, predictions, row) => Math.abs(label - predictions[row]!);
  return (label, predictions, row) => {
    const shares = predictions.subarray(row * outputCount, (row + 1) * outputCount);
    return shares[label]! > 0 && shares.every((share) => share <= shares[label]!) ? 0 : 1;
  };
}
