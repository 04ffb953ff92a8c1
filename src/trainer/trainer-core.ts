import assert from 'node:assert/strict';
import type { JsonValue, ModelReport, RejectedRow, ScoredPredictions, Snapshot, StepReport } from '../records.ts';
import type { Contender } from './contender.ts';
import { weightsDigest } from './digest.ts';
import { KeyErrors } from './key-errors.ts';
import { KnownClasses } from './known-classes.ts';
import { LabelStore } from './label-store.ts';
import { Ledger } from './ledger.ts';
import { createContenders } from './create-contenders.ts';
import { modelPath } from './model-path.ts';
import { rowError, type RowError } from './row-error.ts';
import { rowsOrigin } from './rows-origin.ts';
import { batchTable, type BatchRows, pickCells, pickRows, type RowTable } from './row-table.ts';
import { below, float64Array, withPrefix } from './snapshot-parts.ts';
import type { TargetFacts } from './target-facts.ts';
import { TargetScale } from './target-scale.ts';
import type { BackendChoice, TrainerOptions } from './trainer.ts';

/** What became of the labelled rows of a batch. */
interface Learned {
  readonly trained: RowTable;
  readonly rejected: RowTable;
  /** By contender, of the trained rows: the predictions that count. */
  readonly outputs: readonly Float64Array[];
}

/**
 * The trainer without threads: predicts every row of a batch with the weights before it, matches labels, scores, learns.
 *
 * Each matched row is trained or rejected as the served model decides; the other models and the baseline learn what it
 * learned. State is a value: a restored trainer goes on bit by bit as the one that was saved.
 */
export class TrainerCore {
  readonly backend: BackendChoice;
  readonly #options: TrainerOptions;
  readonly #facts: TargetFacts;
  readonly #contenders: readonly Contender[];
  readonly #served: Contender;
  readonly #labels: LabelStore;
  readonly #ledger = new Ledger();
  readonly #keyErrors = new KeyErrors();
  readonly #rowError: RowError;
  #trained = 0;
  #rejected = 0;
  #newestTimestampMs = -Infinity;
  #newestTimeMs = -Infinity;
  #withheldInARow = 0;

  private constructor(
    options: TrainerOptions,
    backend: BackendChoice,
    facts: TargetFacts,
    contenders: readonly Contender[],
  ) {
    const { task, maxClasses, featureCount, horizonMs, toleranceMs, pendingRows } = options;
    const served = contenders.find(({ path }) => path === modelPath(options.served));
    assert(served !== undefined, `served model "${options.served}" is not among the models`);
    this.backend = backend;
    this.#options = options;
    this.#facts = facts;
    this.#contenders = contenders;
    this.#served = served;
    this.#rowError = rowError(task, maxClasses);
    this.#labels = new LabelStore({
      featureCount,
      outputCount: task === 'regression' ? 1 : maxClasses,
      contenders: contenders.map(({ path }) => path),
      horizonMs,
      toleranceMs,
      pendingRows,
      unknownTarget: task === 'regression' ? 0 : -1,
    });
  }

  /**
   * A trainer at the start of its life, or going on from a snapshot.
   * @throws ConfigError where the backend asked for does not work here or a model does not fit the task.
   * @throws CheckpointError where the snapshot does not fit the options.
   */
  static async create(options: TrainerOptions, snapshot: Snapshot | null): Promise<TrainerCore> {
    const facts = options.task === 'regression' ? new TargetScale(options.targetAs) : new KnownClasses();
    const { backend, contenders } = await createContenders(options, facts);
    const core = new TrainerCore(options, backend, facts, contenders);
    if (snapshot !== null) core.#restore(snapshot);
    return core;
  }

  /** Learns from a batch; keeps no view of its arrays. */
  observe(batch: BatchRows): StepReport {
    const startedMs = performance.now();
    const rows = batchTable(batch, this.#labels.learnTargets(batch));
    const learned = this.#learn(this.#matched(rows));
    this.#account(learned);
    this.#labels.forget(batch.evictedKeyIds);
    this.#keyErrors.forget(batch.evictedKeyIds);
    return this.#report(batch, learned, (performance.now() - startedMs) / 1000);
  }

  /**
   * The whole state. `json` is for readers: `step` of the served model, `outcomes`, `ledger`, `weightsDigest`, `backend`,
   * `trainedThroughMs` (event time of the newest row learned), and reports by model. The state itself is in the arrays.
   */
  snapshot(): Snapshot {
    const ledger = this.#ledger.snapshot();
    const json: JsonValue = {
      step: this.#served.steps,
      outcomes: { ...this.#outcomes() },
      ledger: ledger.json,
      weightsDigest: weightsDigest(this.#served.weights()),
      backend: this.backend.name,
      trainedThroughMs: this.#trained === 0 ? null : this.#newestTimeMs,
      models: Object.fromEntries(Object.entries(this.#modelReports()).map(([name, report]) => [name, plain(report)])),
      baseline: plain(this.#baseline.report()),
    };
    const progress = Float64Array.of(
      this.#trained,
      this.#rejected,
      this.#newestTimestampMs,
      this.#newestTimeMs,
      this.#withheldInARow,
    );
    return {
      json,
      arrays: {
        ...Object.fromEntries(this.#contenders.flatMap((contender) => Object.entries(contender.snapshot()))),
        ...withPrefix('targets', this.#facts.snapshot()),
        ...withPrefix('labels', this.#labels.snapshot()),
        ...withPrefix('ledger', ledger.arrays),
        progress,
      },
    };
  }

  dispose(): void {
    for (const contender of this.#contenders) contender.dispose();
  }

  get #baseline(): Contender {
    return this.#contenders[this.#contenders.length - 1]!;
  }

  #restore(snapshot: Snapshot): void {
    const { arrays } = snapshot;
    for (const contender of this.#contenders) contender.restore(snapshot);
    this.#facts.restore(below('targets', arrays));
    this.#labels.restore(below('labels', arrays));
    this.#ledger.restore(below('ledger', arrays));
    const progress = float64Array(arrays, 'progress', 5);
    this.#trained = progress[0]!;
    this.#rejected = progress[1]!;
    this.#newestTimestampMs = progress[2]!;
    this.#newestTimeMs = progress[3]!;
    this.#withheldInARow = progress[4]!;
  }

  /** Rows whose label is known now: waiting ones under a horizon, else those of the batch. */
  #matched(rows: RowTable): RowTable {
    if (this.#options.horizonMs === null) {
      assert(!rows.labels.includes(NaN), 'a row without a target cannot be learned without a horizon');
      return rows;
    }
    const outputs = this.#contenders.map((contender) => contender.predict(rows));
    return this.#labels.match({ ...rows, outputs }, this.#options.horizonMs);
  }

  #learn(matched: RowTable): Learned {
    const unlearnable = this.#facts.stage(matched, matched.labels);
    const learnable = withoutRows(matched.rowCount, unlearnable);
    const rows = learnable === null ? matched : pickRows(matched, learnable);
    const stage = (remaining: RowTable): void => void this.#facts.stage(remaining, remaining.labels);
    const step =
      rows.rowCount === 0 ? { predictions: new Float64Array(0), rejected: [] } : this.#served.learn(rows, stage);
    const kept = withoutRows(rows.rowCount, step.rejected);
    const trained = kept === null ? rows : pickRows(rows, kept);
    const refused = learnable === null ? step.rejected : step.rejected.map((i) => learnable[i]!);
    const rejected = pickRows(
      matched,
      [...unlearnable, ...refused].sort((a, b) => a - b),
    );
    if (trained.rowCount === 0) return { trained, rejected, outputs: this.#contenders.map(() => new Float64Array(0)) };
    const width = step.predictions.length / rows.rowCount;
    const served = kept === null ? step.predictions : pickCells(step.predictions, kept, width);
    const predictions = this.#contenders.map((contender) =>
      contender === this.#served ? served : contender.learn(trained, () => undefined).predictions,
    );
    // Last, since all predictions above were made with the facts before the batch.
    this.#facts.commit();
    // Under a horizon the predictions that count were made when the rows arrived.
    return { trained, rejected, outputs: this.#options.horizonMs === null ? predictions : trained.outputs };
  }

  #account({ trained, rejected, outputs }: Learned): void {
    this.#contenders.forEach((contender, c) => {
      contender.score(trained, outputs[c]!);
    });
    this.#noteKeyErrors(trained, outputs);
    const { rowCount, originIds, partitions, offsets } = trained;
    for (let i = 0; i < rowCount; i++) this.#ledger.add(originIds[i]!, partitions[i]!, offsets[i]!);
    this.#newestTimestampMs = largest(trained.timestampsMs, rowCount, this.#newestTimestampMs);
    this.#newestTimeMs = largest(trained.timesMs, rowCount, this.#newestTimeMs);
    this.#trained += rowCount;
    this.#rejected += rejected.rowCount;
    if (rowCount > 0) this.#withheldInARow = 0;
    else if (rejected.rowCount > 0) this.#withheldInARow++;
  }

  #noteKeyErrors({ keyIds, rowCount, labels }: RowTable, outputs: readonly Float64Array[]): void {
    const errorOf = (predictions: Float64Array) => (row: number) => this.#rowError(labels[row]!, predictions, row);
    const served = outputs[this.#contenders.indexOf(this.#served)]!;
    this.#keyErrors.add(keyIds, rowCount, errorOf(served), errorOf(outputs.at(-1)!));
  }

  #report(batch: BatchRows, { trained, rejected, outputs }: Learned, seconds: number): StepReport {
    return {
      rowCount: batch.rowCount,
      origin: rowsOrigin(batch),
      learnedRows: trained.rowCount,
      outcomes: this.#outcomes(),
      oldestPendingMs: this.#labels.oldestPendingMs,
      newestTimestampMs: this.#trained === 0 ? null : this.#newestTimestampMs,
      newestTimeMs: this.#trained === 0 ? null : this.#newestTimeMs,
      seconds,
      models: this.#modelReports(),
      baseline: this.#baseline.report(),
      rejectedRows: Array.from({ length: rejected.rowCount }, (_, i) => rejectedRow(rejected, i)),
      withheldInARow: this.#withheldInARow,
      worstKeys: this.#keyErrors.worst(performance.now()),
      predictions: this.#options.wantsPredictions ? this.#scoredPredictions(trained, outputs) : null,
    };
  }

  #outcomes(): StepReport['outcomes'] {
    return {
      trained: this.#trained,
      rejected: this.#rejected,
      unlabelled: this.#labels.unlabelled,
      pending: this.#labels.pending,
    };
  }

  #modelReports(): Record<string, ModelReport> {
    return Object.fromEntries(
      Object.keys(this.#options.models).map((name, c) => [name, this.#contenders[c]!.report()]),
    );
  }

  #scoredPredictions(rows: RowTable, outputs: readonly Float64Array[]): ScoredPredictions {
    const scored = Array.from({ length: rows.rowCount }, (_, i) => i).filter((i) => rows.isScored[i] === 1);
    const { originIds, offsets, labels } = pickRows({ ...rows, outputs: [] }, scored);
    const width = rows.rowCount === 0 ? 0 : outputs[0]!.length / rows.rowCount;
    const byName = Object.keys(this.#options.models).map((name, c) => [name, pickCells(outputs[c]!, scored, width)]);
    return { originIds, offsets, labels, outputs: Object.fromEntries(byName) as Record<string, Float64Array> };
  }
}

/** The largest of the first `count` values, or `atLeast`. */
function largest(values: Float64Array, count: number, atLeast: number): number {
  let result = atLeast;
  for (let i = 0; i < count; i++) if (values[i]! > result) result = values[i]!;
  return result;
}

/** The rows that are not left out, null where all stay. */
function withoutRows(rowCount: number, leftOut: readonly number[]): number[] | null {
  if (leftOut.length === 0) return null;
  const isLeftOut = new Set(leftOut);
  return Array.from({ length: rowCount }, (_, i) => i).filter((i) => !isLeftOut.has(i));
}

function rejectedRow(rows: RowTable, i: number): RejectedRow {
  return {
    originId: rows.originIds[i]!,
    offset: rows.offsets[i]!,
    keyId: rows.keyIds[i]!,
    timeMs: rows.timesMs[i]!,
    timestampMs: rows.timestampsMs[i]!,
    target: rows.ownTargets[i]!,
    features: [...rows.features.subarray(i * rows.featureCount, (i + 1) * rows.featureCount)],
  };
}

function plain(report: ModelReport): JsonValue {
  return { ...report, metrics: { ...report.metrics }, recent: { ...report.recent } };
}
