import { join } from 'node:path';
import type { Progress } from '../progress.ts';
import type { ModelReport, StepReport } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import { baselineModel } from './definitions.ts';
import { EventFile, type Scalars } from './event-file.ts';

/** Between two points of a curve. A point of one model takes about 200 bytes: 600 KB a day. */
const everyMs = 30_000;
/** What belongs to no model is in the folder itself, whose name no model can have. */
const pipelineRun = '.';

export interface TensorboardOptions {
  /** The folder that TensorBoard is told to read; made where it is missing. */
  readonly dir: string;
  /** Told each event before this is. */
  readonly progress: Progress;
  /** Called once, where a file cannot be written; nothing more is written then. */
  readonly onTrouble: (cause: unknown) => void;
}

export interface TensorboardTelemetry extends Telemetry {
  /** Writes the last point and ends the files. */
  close(): void;
}

/**
 * Writes curves that TensorBoard reads: a run for each model and for the baseline, so that TensorBoard draws them over each other, with loss
 * and scores over the fading window; and a run for the pipeline, with rows learned a second, seconds of a step and freshness. Steps are
 * records learned, which every run has in common.
 */
export function tensorboardTelemetry({ dir, progress, onTrouble }: TensorboardOptions): TensorboardTelemetry {
  const files = new Map<string, EventFile>();
  let written: { readonly report: StepReport; readonly atMs: number } | null = null;
  let isBroken = false;

  const write = (run: string, step: number, nowMs: number, scalars: Scalars): void => {
    let file = files.get(run);
    if (file === undefined) files.set(run, (file = new EventFile(join(dir, run), step, nowMs)));
    file.write(nowMs, step, scalars);
  };
  const writePoint = (report: StepReport, nowMs: number): void => {
    const step = report.outcomes.trained;
    for (const [name, model] of Object.entries(report.models)) write(name, step, nowMs, scalarsOf(model));
    write(baselineModel, step, nowMs, scalarsOf(report.baseline));
    const seconds = written === null ? 0 : (nowMs - written.atMs) / 1000;
    write(pipelineRun, step, nowMs, {
      rows_learned_per_second: written === null ? null : (step - written.report.outcomes.trained) / seconds,
      step_seconds: report.seconds,
      freshness_seconds: progress.freshnessSeconds,
    });
    written = { report, atMs: nowMs };
  };
  const attempt = (work: () => void): void => {
    if (isBroken) return;
    try {
      work();
    } catch (cause) {
      isBroken = true;
      onTrouble(cause);
    }
  };
  return {
    emit: (event) => {
      if (event.type !== 'batchObserved' || event.report.learnedRows === 0) return;
      const nowMs = progress.now();
      if (written !== null && nowMs - written.atMs < everyMs) return;
      attempt(() => {
        writePoint(event.report, nowMs);
      });
    },
    close: () => {
      attempt(() => {
        const { report } = progress;
        if (written !== null && report !== null && report !== written.report) writePoint(report, progress.now());
        for (const file of files.values()) file.close();
      });
    },
  };
}

function scalarsOf({ loss, recent }: ModelReport): Scalars {
  const scores = Object.entries(recent).map(([metric, value]) => [`score/${metric}`, value] as const);
  return { loss, ...Object.fromEntries(scores) };
}
