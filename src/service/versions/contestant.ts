import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import type { Contestant } from '../../promotion/gate.ts';
import type { LabelledRows } from '../../records.ts';
import type { ServedVersion } from '../../serving/predictor.ts';

/** A version of a checkpoint that can be compared with others and served. */
export interface CheckpointContestant extends Contestant {
  readonly version: ServedVersion;
}

/** Rows predicted before others get their turn on this thread: requests are answered meanwhile. */
const turnRows = 32;
/** The share of this thread that judging takes, so that a server that is nearly busy does not fall behind meanwhile. */
const judgingShare = 0.2;
/** As log loss is clipped for scores. */
const leastProbability = 1e-15;
/** Losses of this size are as good as none: fraction of the deviation of labels, or nats. */
const negligible = { regression: 1e-3, classification: 1e-3 } as const;

/** `signal` ends comparisons that are under way. */
export function contestant(
  version: ServedVersion,
  savedAtMs: number,
  { serve }: Pick<Config, 'serve'>,
  signal: AbortSignal,
): CheckpointContestant {
  // The version that is served is compared with two others on the same rows.
  const known = new WeakMap<LabelledRows, Promise<Float64Array>>();
  const lossesOn = async (rows: LabelledRows): Promise<Float64Array> => {
    const losses = new Float64Array(rows.rowCount);
    for (let start = 0; start < rows.rowCount; start += turnRows) {
      const startMs = performance.now();
      const some = rowsBetween(rows, start, Math.min(rows.rowCount, start + turnRows));
      losses.set(lossesOf(some, await version.predict(serve, some), version.classes?.length ?? null), start);
      await pause((performance.now() - startMs) * (1 / judgingShare - 1), undefined, { signal });
    }
    return losses;
  };
  return {
    id: version.id,
    step: version.step,
    savedAtMs,
    version,
    losses: (rows) => {
      const losses = known.get(rows) ?? lossesOn(rows);
      known.set(rows, losses);
      return losses;
    },
  };
}

/** The loss below which differences do not matter. A median, since a few labels that are far off must not raise it. */
export function negligibleLoss(rows: LabelledRows, { target }: Config): number {
  if (target.task === 'classification') return negligible.classification;
  const learned = rows.labels.map((label, row) => (target.as === 'change' ? label - rows.ownTargets[row]! : label));
  const middle = medianOf(learned);
  const deviation = 1.4826 * medianOf(learned.map((value) => Math.abs(value - middle)));
  return Math.max(negligible.regression * deviation, Number.MIN_VALUE);
}

/** `classes`: their number, null for regression. */
function lossesOf({ rowCount, labels }: LabelledRows, outputs: Float64Array, classes: number | null): Float64Array {
  return Float64Array.from({ length: rowCount }, (_, row) => {
    const label = labels[row]!;
    const loss =
      classes === null
        ? Math.abs(outputs[row]! - label)
        : // A class that the version does not know has no probability.
          -Math.log(Math.max(leastProbability, label < classes ? outputs[row * classes + label]! : 0));
    return Number.isNaN(loss) ? Infinity : loss;
  });
}

function rowsBetween(rows: LabelledRows, from: number, to: number): LabelledRows {
  const width = rows.features.length / rows.rowCount;
  return {
    rowCount: to - from,
    features: rows.features.subarray(from * width, to * width),
    ownTargets: rows.ownTargets.subarray(from, to),
    keyIds: rows.keyIds.subarray(from, to),
    labels: rows.labels.subarray(from, to),
  };
}

function medianOf(values: Float64Array): number {
  return values.slice().sort()[values.length >> 1] ?? 0;
}
