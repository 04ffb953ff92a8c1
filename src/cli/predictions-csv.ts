import { stringify } from 'csv-stringify/sync';
import type { ScoredPredictions } from '../records.ts';

/**
 * Scored predictions as CSV with round-trip digits, in the order they were scored: `row,prediction,target`, and for
 * classes one `p:CLASS` column each. `row` is the record's offset in its partition.
 * @param classes names by index, or null for regression.
 */
export function predictionsCsv(
  predictions: readonly ScoredPredictions[],
  model: string,
  classes: readonly string[] | null,
): string {
  const header = ['row', 'prediction', 'target', ...(classes ?? []).map((name) => `p:${name}`)];
  const lines: (string | number)[][] = [header];
  for (const scored of predictions) {
    const outputs = scored.outputs[model] ?? new Float64Array(0);
    const width = outputs.length / scored.offsets.length;
    for (let row = 0; row < scored.offsets.length; row++) {
      const output = outputs.subarray(row * width, (row + 1) * width);
      lines.push([
        scored.offsets[row]!,
        ...(classes === null ? [output[0]!, scored.labels[row]!] : classLine(output, scored.labels[row]!, classes)),
      ]);
    }
  }
  return stringify(lines, { cast: { number: String } });
}

/** The likeliest class (the first of equals; none while no class is known), the true one, and all probabilities. */
function classLine(probabilities: Float64Array, label: number, classes: readonly string[]): (string | number)[] {
  let best = -1;
  for (let index = 0; index < classes.length; index++) {
    if (probabilities[index]! > (best < 0 ? 0 : probabilities[best]!)) best = index;
  }
  return [classes[best] ?? '', classes[label] ?? '', ...classes.map((_, index) => probabilities[index]!)];
}
