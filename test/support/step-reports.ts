import type { ModelReport, StepReport } from '../../src/records.ts';
import type { TelemetryEvent } from '../../src/telemetry.ts';

export function modelReport(changes: Partial<ModelReport> = {}): ModelReport {
  return { kind: 'linear', loss: null, metrics: {}, recent: {}, scored: 0, steps: 0, withheld: 0, ...changes };
}

/** A report of a step over one row that learned it, changed as asked. */
export function stepReport(changes: Partial<StepReport> = {}): StepReport {
  return {
    rowCount: 1,
    origin: { originId: 0, firstOffset: 0, lastOffset: 0 },
    learnedRows: 1,
    outcomes: { trained: 1, rejected: 0, unlabelled: 0, pending: 0 },
    oldestPendingMs: null,
    newestTimestampMs: null,
    newestTimeMs: null,
    seconds: 0.001,
    models: { main: modelReport() },
    baseline: modelReport({ kind: 'mean' }),
    rejectedRows: [],
    withheldInARow: 0,
    worstKeys: null,
    predictions: null,
    ...changes,
  };
}

export function batchObserved(
  changes: Partial<StepReport> = {},
): Extract<TelemetryEvent, { readonly type: 'batchObserved' }> {
  return { type: 'batchObserved', report: stepReport(changes) };
}
