import { previewOf } from '../../src/serving/preview.ts';
import type { WorstKey } from '../../src/serving/status.ts';
import { simulatedFeatures } from './simulated-features.ts';
import { SimulatedGate } from './simulated-gate.ts';
import { Progress } from '../../src/progress.ts';
import { StatusBoard } from '../../src/serving/status-board.ts';
import { tellAll } from '../../src/telemetry.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { modelReport, stepReport } from '../support/step-reports.ts';

const worstKeys: readonly WorstKey[] = [
  { key: 'JFK', error: 1.31, baselineError: 1.44, rows: 5120 },
  { key: 'LGA', error: 1.02, baselineError: 1.18, rows: 5001 },
  { key: 'EWR', error: 0.94, baselineError: 0.91, rows: 5230 },
];

/** A pipeline that learns the weather in virtual time, as seen by telemetry. Deterministic. */
export class SimulatedRun {
  nowMs: number;
  mainBusySeconds = 0;
  /** Whether new versions are worse than the served one. */
  isPoisoned = false;
  readonly progress: Progress;
  readonly board: StatusBoard;
  readonly telemetry: Telemetry;
  readonly gate: SimulatedGate;
  #seed = 1;
  #step = 0;
  #read = 0;
  #rejected = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
    this.progress = new Progress(() => this.nowMs);
    this.board = new StatusBoard(this.progress);
    this.telemetry = tellAll([this.progress, this.board]);
    this.gate = new SimulatedGate(this.telemetry, () => this.nowMs);
  }

  /** The source joins and a model is in place. */
  start(): void {
    this.board.describe({
      ...{ name: 'weather-new-york', version: '0.1.0', backend: 'wasm', served: 'main' },
      ...{ source: 'kafka', keyField: 'station', targetField: 'temp', horizonMs: 3_600_000 },
    });
    this.board.watch({
      load: () => ({ mainBusySeconds: this.mainBusySeconds, ring: { depth: 1, slots: 64 } }),
      features: () => simulatedFeatures(this.#step),
      trainedThrough: () => '2013-06-01T00:00:00.000Z',
    });
    this.board.setCondition('model', null);
    this.telemetry.emit({ type: 'sourceJoined' });
  }

  /** Reads and learns some hundred rows in the next 100 ms. */
  step(): void {
    this.nowMs += 100;
    this.mainBusySeconds += 0.001;
    this.#step += 1;
    const rows = 26 + Math.floor(this.#random() * 12);
    const partition = this.#step % 3;
    this.#read += rows;
    this.telemetry.emit({
      type: 'recordsRead',
      topic: 'weather.readings',
      partition,
      records: rows,
      bytes: rows * 70,
      nextOffset: Math.floor(this.#read / 3),
      endOffset: Math.floor(this.#read / 3) + Math.floor(this.#random() * 40),
      newestTimestampMs: this.nowMs - 240,
    });
    this.telemetry.emit({ type: 'blockDecoded', rows, seconds: 0.0004 });
    this.telemetry.emit({ type: 'blockDerived', rows, seconds: 0.0003 });
    this.telemetry.emit({ type: 'blockNormalized', rows, seconds: 0.0002 });
    if (this.#step % 97 === 0) this.#reject(partition);
    this.telemetry.emit({ type: 'batchObserved', report: this.#report(rows) });
    if (this.#step % 100 === 0) {
      const [id, step] = [`checkpoint-${String(this.#step).padStart(12, '0')}`, this.#step * 2];
      this.board.noteWorstKeys(worstKeys);
      this.telemetry.emit({
        type: 'checkpointSaved',
        id,
        step,
        seconds: 0.021,
        pauseSeconds: 0.019,
        bytes: 48_312,
      });
      this.gate.offer({ id, step, savedAtMs: this.nowMs }, this.isPoisoned);
    }
  }

  #reject(partition: number): void {
    const letters = [
      { reason: 'avro.truncated', value: Uint8Array.from([0, 0, 0, 0, 1, 6, 0x4a, 0x46]) },
      { reason: 'frame.magic', value: new TextEncoder().encode('{"station":"JFK","temp":39.02,"note":"not Avro"}') },
      { reason: 'value.null', value: null },
    ] as const;
    const letter = letters[this.#rejected % letters.length] ?? letters[0];
    this.#rejected += 1;
    this.telemetry.emit({ type: 'recordsRejected', reason: letter.reason, records: 1 });
    const { reason, value } = letter;
    const describe = () => ({ preview: previewOf(value), detail: 'as simulated' });
    this.board.noteDeadLetter({
      reason,
      describe,
      topic: 'weather.readings',
      partition,
      offset: Math.floor(this.#read / 3),
    });
  }

  #report(rowCount: number): ReturnType<typeof stepReport> {
    const trained = Math.max(0, this.#read - this.#rejected - 5);
    const wave = 0.05 * Math.sin(this.#step / 70);
    const early = 3 * Math.exp(-this.#step / 40);
    const mae = 1.03 + wave * 0.8 + early + 0.02 * this.#random();
    const recent = { mae, rmse: mae * 1.42, r2: 0.994 };
    const linear = { mae: mae + 0.045, rmse: mae * 1.49, r2: 0.993 };
    const last = { mae: 1.201 + wave, rmse: 1.74 + wave, r2: 0.991 };
    return stepReport({
      rowCount,
      learnedRows: rowCount,
      outcomes: { trained, rejected: 0, unlabelled: 2, pending: 3 },
      newestTimestampMs: this.nowMs - 310,
      newestTimeMs: 1_370_000_000_000 + this.#step * 3_600_000,
      models: {
        main: modelReport({
          kind: 'mlp',
          loss: 0.2 + early + 0.08 * this.#random(),
          metrics: { mae: 1.034, rmse: 1.47, r2: 0.994 },
          recent,
          scored: trained,
          steps: this.#step * 2,
        }),
        shadow: modelReport({
          kind: 'linear',
          loss: 0.24,
          metrics: { mae: 1.081, rmse: 1.53, r2: 0.993 },
          recent: linear,
          scored: trained,
          steps: this.#step * 2,
        }),
      },
      baseline: modelReport({
        kind: 'lastValue',
        metrics: { mae: 1.201, rmse: 1.74, r2: 0.991 },
        recent: last,
        scored: trained,
      }),
    });
  }

  /** Park and Miller 1988. */
  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }
}

/** A pipeline that has learned for a minute, until now. */
export function learnedRun(): SimulatedRun {
  const run = new SimulatedRun(Date.now() - 60_000);
  run.start();
  for (let step = 0; step < 590; step += 1) run.step();
  return run;
}

/** A pipeline that has learned for a minute and then, until now, for another from poisoned records: six versions are held. */
export function poisonedRun(): SimulatedRun {
  const run = new SimulatedRun(Date.now() - 120_000);
  run.start();
  for (let step = 0; step < 1190; step += 1) {
    run.isPoisoned = step >= 590;
    run.step();
  }
  return run;
}
