import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { batchObserved, modelReport } from '../support/step-reports.ts';
import { SimulatedRun } from './simulated-run.ts';

const startMs = new Date('2026-03-01T12:00:00').getTime();

function started(): SimulatedRun {
  const run = new SimulatedRun(startMs);
  run.start();
  return run;
}

suite('StatusBoard', () => {
  test('is not ready before the source joined and a model is in place', () => {
    const run = new SimulatedRun(startMs);
    assert.equal(run.board.isReady, false);
    assert.equal(run.board.status().state, 'starting');
    assert.match(run.board.status().sentence, /^Starting: the source has not joined yet; no model is in place yet\.$/);
    run.telemetry.emit({ type: 'sourceJoined' });
    assert.deepEqual(
      run.board.reasons.map(({ message }) => message),
      ['no model is in place yet'],
    );
    run.board.setCondition('model', null);
    assert.equal(run.board.isReady, true);
    assert.equal(run.board.status().state, 'waiting');
  });

  test('a source that cannot be reached at the start is trouble, not starting', () => {
    const run = new SimulatedRun(startMs);
    run.board.setCondition('model', null);
    run.nowMs += 5000;
    run.telemetry.emit({ type: 'sourceInterrupted', message: 'cannot reach the broker at localhost:9092' });
    run.nowMs += 60_000;
    run.telemetry.emit({ type: 'sourceInterrupted', message: 'cannot reach the broker at localhost:9092: refused' });
    const { state, sentence, moments } = run.board.status();
    assert.equal(state, 'troubled');
    assert.equal(sentence, 'Not ready since 12:00:05: cannot reach the broker at localhost:9092: refused.');
    assert.deepEqual(moments, [{ text: '12:00:05', ms: startMs + 5000 }]);
    run.telemetry.emit({ type: 'sourceJoined' });
    assert.equal(run.board.isReady, true);
  });

  test('conditions of the pipeline hold until they are cleared', () => {
    const run = started();
    run.board.setCondition('rejectRatio', 'more than half of the records are bad');
    run.board.setCondition('withheld', '20 steps in a row were not finite');
    assert.equal(run.board.reasons.length, 2);
    run.board.setCondition('rejectRatio', null);
    run.board.setCondition('rejectRatio', null);
    assert.equal(run.board.isReady, false);
    run.board.setCondition('withheld', null);
    assert.equal(run.board.isReady, true);
  });

  test('a registry that is away is a reason until a block is decoded', () => {
    const run = started();
    run.telemetry.emit({ type: 'registryRetried', message: 'the registry at localhost:8081 does not answer' });
    assert.equal(run.board.isReady, false);
    run.telemetry.emit({ type: 'blockDecoded', rows: 1, seconds: 0.001 });
    assert.equal(run.board.isReady, true);
  });

  test('a failing checkpoint warns until one is saved', () => {
    const run = started();
    run.telemetry.emit({ type: 'checkpointFailed', message: 'no space left' });
    assert.equal(run.board.isReady, true);
    assert.match(run.board.status().sentence, /But since 12:00:00: checkpoints fail: no space left\.$/);
    run.telemetry.emit({ type: 'checkpointSaved', id: 'c', step: 1, seconds: 0.1, pauseSeconds: 0.1, bytes: 10 });
    assert.deepEqual(run.board.status().warnings, []);
  });

  test('versions held in a row warn until one is served, and the latest decisions stay', () => {
    const run = started();
    assert.equal(run.board.status().serving, null);
    const served = { id: 'checkpoint-4', step: 40, savedAtMs: 4 };
    const facts = { served, servedSinceMs: 4, previous: 'checkpoint-3', isPinned: false };
    const none = { other: 'checkpoint-4', recent: null, past: null, atMs: 0 };
    const decide = (action: 'held' | 'promoted', number: number, heldInARow: number): void => {
      const newest = { id: `checkpoint-${number}`, step: 10 * number, savedAtMs: number };
      const decision = { action, version: newest.id, message: `reason ${number}`, ...none };
      run.telemetry.emit({ type: 'promotionDecided', decision, serving: { ...facts, newest, heldInARow } });
    };
    decide('held', 5, 1);
    assert.deepEqual(run.board.status().warnings, [], 'one may be noise');
    decide('held', 6, 2);
    const { sentence, serving } = run.board.status();
    assert.match(sentence, /But since 12:00:00: newer models are held back, checkpoint-4 is served: reason 6\.$/);
    assert.deepEqual(
      [serving?.served.id, serving?.newest.id, serving?.heldInARow, serving?.decisions.map(({ version }) => version)],
      ['checkpoint-4', 'checkpoint-6', 2, ['checkpoint-6', 'checkpoint-5']],
    );
    const [recalled] = serving!.decisions;
    run.board.recallDecisions([{ ...recalled!, version: 'checkpoint-1' }]);
    assert.equal(run.board.status().serving?.decisions.at(-1)?.version, 'checkpoint-1', 'that of an earlier run');
    for (let number = 7; number < 20; number += 1) decide('promoted', number, 0);
    assert.deepEqual([run.board.status().warnings, run.board.status().serving?.decisions.length], [[], 10]);
  });

  test('skipped offsets and damaged checkpoints stay in sight, ten of them at most', () => {
    const run = started();
    run.telemetry.emit({ type: 'checkpointDamaged', id: 'c-7', message: 'weights.bin: digest' });
    for (let partition = 0; partition < 30; partition += 1) {
      run.telemetry.emit({ type: 'offsetsSkipped', topic: 'readings', partition, from: 1000, to: 2500 });
    }
    const { warnings } = run.board.status();
    assert.equal(warnings.length, 10);
    assert.equal(
      warnings.at(-1)?.message,
      'offsets from 1,000 to 2,500 of readings:29 were not in the log and are skipped',
    );
  });

  test('a run shows throughput, scores, lag, models, dead letters and checkpoints', () => {
    const run = started();
    for (let step = 0; step < 600; step += 1) run.step();
    const status = run.board.status();
    assert.equal(status.state, 'learning');
    assert.match(status.sentence, /^Learning \d+ rows\/s; \d+\.\d % better than last value; 0\.2 s behind the log\.$/);
    assert.ok(status.rowsPerSecond > 250 && status.rowsPerSecond < 400);
    assert.equal(status.freshnessSeconds, 0.31);
    assert.deepEqual(
      status.models.map(({ name, role }) => [name, role]),
      [
        ['main', 'served'],
        ['shadow', 'shadow'],
        ['baseline', 'baseline'],
      ],
    );
    assert.equal(status.metric, 'mae');
    assert.equal(status.lags.length, 3);
    assert.equal(status.deadLetters.total, 6);
    assert.equal(status.deadLetters.latest[0]?.preview, 'null');
    assert.equal(status.checkpoints.length, 6);
    assert.equal(status.checkpoints[0]?.step, 1200);
    const { read, trained, rejected, filtered, unlabelled, pending } = status.records;
    assert.equal(read, trained + rejected + filtered + unlabelled + pending);
    const last = status.history.points.at(-1);
    assert.deepEqual(Object.keys(last?.scores ?? {}), ['main', 'shadow', 'baseline']);
  });

  test('memory is bounded however long it runs', () => {
    const run = started();
    for (let step = 0; step < 20_000; step += 1) run.step();
    const status = run.board.status();
    assert.ok(status.history.points.length < 600);
    assert.equal(status.deadLetters.latest.length, 20);
    assert.equal(status.deadLetters.total, 206);
    assert.ok((status.history.points[0]?.ms ?? Infinity) < startMs + 20_000, 'the beginning is still there');
  });

  test('silence is told: the rate falls to 0 and the sentence says how long', () => {
    const run = started();
    for (let step = 0; step < 50; step += 1) run.step();
    run.nowMs += 30_000;
    const status = run.board.status();
    assert.equal(status.rowsPerSecond, 0);
    assert.equal(status.state, 'waiting');
    assert.match(status.sentence, /^Nothing learned for 30 s while records wait/);
  });

  test('the end of bounded input says the total scores and stays ready', () => {
    const run = started();
    for (let step = 0; step < 200; step += 1) run.step();
    run.board.finish();
    run.nowMs += 60_000;
    const { state, sentence, isReady } = run.board.status();
    assert.equal(state, 'finished');
    assert.match(sentence, /^Everything is learned: .*MAE 1\.034 against 1\.201; 13\.9 % better than last value\.$/);
    assert.equal(isReady, true);
  });

  test('classification is led by accuracy', () => {
    const run = started();
    const accuracy = (value: number) => ({ accuracy: value, logLoss: 0.3 });
    run.telemetry.emit(
      batchObserved({
        models: { main: modelReport({ metrics: accuracy(0.9), recent: accuracy(0.92) }) },
        baseline: modelReport({ kind: 'majority', metrics: accuracy(0.5), recent: accuracy(0.52) }),
      }),
    );
    const { metric, better, sentence } = run.board.status();
    assert.equal(metric, 'accuracy');
    assert.ok(Math.abs((better ?? 0) - 0.4) < 1e-12);
    assert.match(sentence, /92\.0 % right \(the majority class: 52\.0 %\)/);
  });

  test('its version grows with what it is told, not with time', () => {
    const run = started();
    const before = run.board.version;
    run.nowMs += 1000;
    run.board.status();
    assert.equal(run.board.version, before);
    run.step();
    assert.ok(run.board.version > before);
  });
});
