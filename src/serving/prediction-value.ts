/** What a model says of one row. */
export interface PredictionValue {
  /** Original units, or the likeliest class; null while no class is known. */
  readonly value: number | string | null;
  /** By class; absent for regression. */
  readonly probabilities?: Readonly<Record<string, number>>;
}

/** What the outputs of a model [rows × (1 or classes)] say of a row; `classes` is null for regression. */
export function predictionValue(
  outputs: Float64Array,
  row: number,
  classes: readonly string[] | null,
): PredictionValue {
  if (classes === null) return { value: outputs[row]! };
  const shares = outputs.subarray(row * classes.length, (row + 1) * classes.length);
  const probabilities = Object.fromEntries(classes.map((name, index) => [name, shares[index]!]));
  const likeliest = shares.indexOf(Math.max(...shares));
  return { value: classes[likeliest] ?? null, probabilities };
}
