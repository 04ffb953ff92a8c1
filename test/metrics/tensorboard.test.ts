import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { tensorboardTelemetry } from '../../src/metrics/tensorboard.ts';
import { Progress } from '../../src/progress.ts';
import type { StepReport } from '../../src/records.ts';
import { tellAll } from '../../src/telemetry.ts';
import { temporaryDirectory } from '../support/command.ts';
import { readCurves } from '../support/curves.ts';
import { missing } from '../support/requirements.ts';
import { batchObserved, modelReport } from '../support/step-reports.ts';

/** A telemetry with a clock of its own, and what it complained of. */
function board(dir: string) {
  const time = { ms: 1_700_000_000_000 };
  const troubles: unknown[] = [];
  const progress = new Progress(() => time.ms);
  const tensorboard = tensorboardTelemetry({ dir, progress, onTrouble: (cause) => troubles.push(cause) });
  const telemetry = tellAll([progress, tensorboard]);
  const learned = (trained: number, changes: Partial<StepReport> = {}): void => {
    telemetry.emit(batchObserved({ outcomes: { trained, rejected: 0, unlabelled: 0, pending: 0 }, ...changes }));
  };
  return {
    time,
    troubles,
    learned,
    close: () => {
      tensorboard.close();
    },
  };
}

suite('tensorboardTelemetry', { skip: missing('python-packages') ?? false }, () => {
  test('writes a run for each model and one for the pipeline, at most every 30 s and at the end', async (t) => {
    const dir = temporaryDirectory(t);
    const { time, learned, close } = board(dir);
    const models = (loss: number) => ({
      main: modelReport({ loss, recent: { mae: 2 * loss, r2: null } }),
      shadow: modelReport({ loss: 9, recent: { mae: NaN } }),
    });
    learned(100, { models: models(0.5), seconds: 0.25, newestTimestampMs: time.ms - 2000 });
    time.ms += 29_999;
    learned(150, { models: models(0.4) });
    time.ms += 1;
    learned(1600, { models: models(0.25), seconds: 0.5, newestTimestampMs: time.ms });
    time.ms += 1000;
    learned(1700, { models: models(0.125) });
    close();
    const { '.': pipeline, ...byModel } = await readCurves(dir);
    assert.deepEqual(byModel['main'], {
      loss: [
        [100, 0.5],
        [1600, 0.25],
        [1700, 0.125],
      ],
      'score/mae': [
        [100, 1],
        [1600, 0.5],
        [1700, 0.25],
      ],
    });
    assert.deepEqual(Object.keys(byModel['shadow'] ?? {}), ['loss']);
    assert.deepEqual(pipeline?.['rows_learned_per_second'], [
      [1600, 50],
      [1700, 100],
    ]);
    assert.deepEqual(pipeline['step_seconds']?.slice(0, 2), [
      [100, 0.25],
      [1600, 0.5],
    ]);
  });

  test('a run that goes on from before hides what an earlier one wrote of the same steps', async (t) => {
    const dir = temporaryDirectory(t);
    const first = board(dir);
    const main = (loss: number) => ({ models: { main: modelReport({ loss }) } });
    first.learned(100, main(1));
    first.time.ms += 30_000;
    first.learned(300, main(2));
    first.close();
    const second = board(dir);
    second.time.ms += 100_000;
    second.learned(200, main(3));
    second.close();
    const { main: curves } = await readCurves(dir);
    assert.deepEqual(curves?.['loss'], [
      [100, 1],
      [200, 3],
    ]);
  });
});

test('curves that cannot be written are told once and never thrown', (t) => {
  const dir = join(temporaryDirectory(t), 'file');
  writeFileSync(dir, '');
  const { learned, close, troubles } = board(dir);
  learned(1);
  learned(2);
  close();
  assert.equal(troubles.length, 1);
  assert.match(String(troubles[0]), /ENOTDIR|EEXIST/);
});

test('nothing is written where nothing was learned', (t) => {
  const dir = temporaryDirectory(t);
  const { learned, close } = board(dir);
  learned(0, { learnedRows: 0 });
  close();
  assert.deepEqual(readdirSync(dir), []);
});
