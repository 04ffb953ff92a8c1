import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CheckpointError, ConfigError } from '../../src/errors.ts';
import type { JsonValue, StepReport } from '../../src/records.ts';
import { weightsDigest } from '../../src/trainer/digest.ts';
import { Ledger } from '../../src/trainer/ledger.ts';
import { TrainerCore } from '../../src/trainer/trainer-core.ts';
import type { TrainerOptions } from '../../src/trainer/trainer.ts';
import { batches, batchOf, type Reading, readings, trainerOptions } from './support.ts';

const hourMs = 3_600_000;

async function coreOf(changes: Partial<TrainerOptions> = {}): Promise<TrainerCore> {
  return TrainerCore.create(trainerOptions({ wantsPredictions: true, ...changes }), null);
}

/** Predictions of all models by offset, in the order in which they were scored. */
function predictionsOf(reports: readonly StepReport[], width = 1): Map<number, number[]> {
  const byOffset = new Map<number, number[]>();
  for (const { predictions } of reports) {
    predictions!.offsets.forEach((offset, i) => {
      const outputs = Object.values(predictions!.outputs);
      byOffset.set(
        offset,
        outputs.flatMap((output) => [...output.subarray(i * width, (i + 1) * width)]),
      );
    });
  }
  return byOffset;
}

async function reportsOf(stream: readonly Reading[], rows: number, changes: Partial<TrainerOptions>) {
  const core = await coreOf(changes);
  return batches(stream, rows).map((batch) => core.observe(batch));
}

for (const [kind, changes, classes] of [
  ['regression', { models: { main: { kind: 'linear' }, shadow: { kind: 'linear' }, other: { kind: 'mean' } } }, 0],
  [
    'regression by a net',
    { models: { main: { kind: 'mlp', hidden: [4], activation: 'relu' }, shadow: { kind: 'linear' } } },
    0,
  ],
  ['regression under a horizon', { horizonMs: hourMs, targetAs: 'change' }, 0],
  [
    'classes',
    {
      task: 'classification',
      maxClasses: 4,
      models: { main: { kind: 'linear' }, shadow: { kind: 'linear' }, other: { kind: 'majority' } },
    },
    3,
  ],
] as const) {
  it(`the target of a row changes no prediction up to and including that row's (${kind})`, async () => {
    const stream = readings(90, 5, classes);
    const k = 50;
    const other = stream.map((row, n) => (n === k ? { ...row, target: classes === 0 ? row.target + 9 : 0 } : row));
    const width = classes === 0 ? 1 : 4;
    const [one, two] = [await reportsOf(stream, 1, changes), await reportsOf(other, 1, changes)];
    const [before, after] = [predictionsOf(one, width), predictionsOf(two, width)];
    // Under "change" the own target of a row is an input of its prediction, not its label.
    const last = 'targetAs' in changes ? k - 1 : k;
    for (let n = 0; n <= last; n++) assert.deepEqual(after.get(n), before.get(n));
    assert.ok([...before].some(([n, outputs]) => n > k && outputs[0] !== after.get(n)![0]));
  });
}

it('models with the same options predict the same, whichever is served', async () => {
  for (const horizonMs of [null, hourMs]) {
    const models = { main: { kind: 'linear' }, shadow: { kind: 'linear' } } as const;
    const reports = await reportsOf(readings(60), 7, { models, horizonMs });
    for (const { predictions } of reports) {
      assert.deepEqual(predictions!.outputs['shadow'], predictions!.outputs['main']);
    }
    const { main, shadow } = reports.at(-1)!.models;
    assert.deepEqual(shadow, main);
  }
});

it('reports score the predictions that they carry, each made before its label was learned', async () => {
  const reports = await reportsOf(readings(100), 10, {});
  let [absolute, count] = [0, 0];
  for (const { predictions } of reports) {
    predictions!.labels.forEach((label, i) => {
      absolute += Math.abs(label - predictions!.outputs['main']![i]!);
      count++;
    });
  }
  const { metrics, scored, steps, withheld } = reports.at(-1)!.models['main']!;
  assert.ok(Math.abs(metrics['mae']! - absolute / count) < 1e-9);
  assert.deepEqual({ scored, steps, withheld }, { scored: 100, steps: 10, withheld: 0 });
  assert.deepEqual(
    [...reports[0]!.predictions!.outputs['main']!],
    Array.from({ length: 10 }, () => 0),
  );
  assert.equal(reports.at(-1)!.baseline.kind, 'mean');
  assert.equal(reports.at(-1)!.baseline.loss, null);
});

it('under a horizon a row is scored by the prediction made when it arrived, and the baseline says its own target again', async () => {
  const core = await coreOf({ horizonMs: hourMs });
  const row = (hour: number, target: number): Reading => ({
    features: [1, 0, 0],
    target,
    timeMs: hour * hourMs,
    offset: hour,
  });
  const first = core.observe(batchOf([row(0, 5), row(1, 7)]));
  assert.deepEqual(first.outcomes, { trained: 1, rejected: 0, unlabelled: 0, pending: 1 });
  assert.deepEqual([...first.predictions!.labels], [7]);
  assert.deepEqual([...first.predictions!.outputs['main']!], [0]);
  assert.equal(first.baseline.kind, 'lastValue');
  assert.equal(first.baseline.metrics['mae'], 2);
  assert.equal(first.oldestPendingMs, hourMs);
  assert.equal(first.newestTimeMs, 0);
  assert.equal(first.newestTimestampMs, 5);
  // Row 1 was predicted before anything was learned; the label 9 of its hour finds that prediction.
  const second = core.observe(batchOf([row(2, 9)]));
  assert.deepEqual([...second.predictions!.outputs['main']!], [0]);
  assert.equal(second.models['main']!.metrics['mae'], 8);
});

it('the ledger holds the rows trained, by partition, and the outcomes add up when keys are forgotten', async () => {
  const core = await coreOf({ horizonMs: hourMs });
  const stream = readings(60).map((row, n) => ({ ...row, partition: n % 2 }));
  const trained = new Ledger();
  for (const batch of batches(stream, 7)) {
    const report = core.observe(batch);
    report.predictions!.offsets.forEach((offset, i) => {
      const partition = report.predictions!.originIds[i]!;
      trained.add(partition, partition, offset);
    });
  }
  const { outcomes } = core.observe(batchOf([], [0, 1, 99]));
  assert.deepEqual(outcomes, { trained: 57, rejected: 0, unlabelled: 2, pending: 1 });
  const json = core.snapshot().json as Record<string, JsonValue>;
  assert.deepEqual(json['ledger'], trained.report());
  assert.deepEqual(json['outcomes'], outcomes);
  assert.equal(json['backend'], 'cpu');
});

it('rows of later passes are learned, not scored', async () => {
  const core = await coreOf();
  const report = core.observe(batchOf(readings(8).map((row, n) => ({ ...row, isScored: n < 3 }))));
  assert.equal(report.learnedRows, 8);
  assert.equal(report.models['main']!.scored, 3);
  assert.deepEqual([...report.predictions!.offsets], [0, 1, 2]);
});

it('a row that is not finite is rejected as it came, the others are learned, and it leaves no trace', async () => {
  for (const models of [
    { main: { kind: 'linear' } },
    { main: { kind: 'mlp', hidden: [4], activation: 'relu' }, shadow: { kind: 'linear' } },
  ] as const) {
    const good = readings(12);
    const bad: Reading = { features: [0, Infinity, 1], target: 77, offset: 99, timeMs: 5, keyId: 3 };
    const [clean, poisoned] = [await coreOf({ models }), await coreOf({ models })];
    clean.observe(batchOf(good));
    const report = poisoned.observe(batchOf([...good.slice(0, 4), bad, ...good.slice(4)]));
    assert.deepEqual(report.outcomes, { trained: 12, rejected: 1, unlabelled: 0, pending: 0 });
    assert.equal(report.withheldInARow, 0);
    assert.equal(report.models['main']!.withheld, 1);
    assert.equal(report.models['main']!.scored, 12);
    const place = { originId: 0, offset: 99, keyId: 3, timeMs: 5, timestampMs: 10 };
    assert.deepEqual(report.rejectedRows, [{ ...place, target: 77, features: [0, Infinity, 1] }]);
    const digest = (core: TrainerCore): unknown => (core.snapshot().json as Record<string, JsonValue>)['weightsDigest'];
    assert.equal(digest(poisoned), digest(clean));
    assert.deepEqual(poisoned.snapshot().arrays['targets.moments'], clean.snapshot().arrays['targets.moments']);
  }
});

it('a label that no moments can hold is rejected', async () => {
  const core = await coreOf();
  const [first, ...rest] = readings(5);
  const { outcomes } = core.observe(batchOf([{ ...first!, target: 1e300 }, ...rest]));
  assert.deepEqual(outcomes, { trained: 4, rejected: 1, unlabelled: 0, pending: 0 });
});

it('a step that is not finite at all rejects its batch, counts in a row, and ends with a good one', async () => {
  const core = await coreOf({
    training: {
      optimizer: { kind: 'sgd' },
      learningRate: 1e38,
      clipNorm: null,
      precision: 'float32',
      loss: { kind: 'mse' },
    },
  });
  core.observe(batchOf([{ features: [0, 0, 0], target: 3 }]));
  const before = core.snapshot();
  const wild = readings(4).map((row) => ({ ...row, features: [1e30, 1e30, 1e30] }));
  for (const inARow of [1, 2]) {
    const report = core.observe(batchOf(wild));
    assert.equal(report.withheldInARow, inARow);
    assert.equal(report.outcomes.rejected, 4 * inARow);
    assert.equal(report.outcomes.trained, 1);
    assert.equal(report.models['main']!.steps, 1);
  }
  const after = core.snapshot();
  assert.deepEqual(after.arrays['models.main.weights.kernel'], before.arrays['models.main.weights.kernel']);
  assert.deepEqual(after.arrays['targets.moments'], before.arrays['targets.moments']);
  assert.equal(core.observe(batchOf([])).withheldInARow, 2);
  assert.equal(core.observe(batchOf([{ features: [0, 0, 0], target: 3 }])).withheldInARow, 0);
});

it('a shadow that cannot step withholds rows; outcomes follow the served model', async () => {
  const core = await coreOf({
    models: { main: { kind: 'mean' }, shadow: { kind: 'linear' } },
  });
  const report = core.observe(batchOf([...readings(3), { features: [NaN, 0, 0], target: 20 }]));
  assert.equal(report.outcomes.trained, 4);
  assert.equal(report.models['shadow']!.withheld, 1);
  assert.equal(report.models['shadow']!.scored, 3);
  assert.equal(report.models['main']!.scored, 4);
});

it('while no class is known a row counts as wrong, and a class not yet known has probability 0', async () => {
  const core = await coreOf({ task: 'classification', maxClasses: 3 });
  const row = (target: number): Reading => ({ features: [1, 0, 0], target });
  const first = core.observe(batchOf([row(0)]));
  assert.equal(first.models['main']!.metrics['accuracy'], 0);
  assert.ok(Math.abs(first.models['main']!.metrics['logLoss']! + Math.log(1e-15)) < 1e-9);
  const second = core.observe(batchOf([row(1)]));
  assert.deepEqual([...second.predictions!.outputs['main']!], [1, 0, 0]);
  const third = core.observe(batchOf([row(1)]));
  const [p0, p1, p2] = third.predictions!.outputs['main']!;
  assert.ok(p0! > 0 && p1! > 0 && p2 === 0);
  assert.equal(third.baseline.kind, 'majority');
});

it('models that do not fit the task are refused with the one that does', async () => {
  const isMisfit = (error: unknown): boolean => error instanceof ConfigError && error.message.includes('use "m');
  await assert.rejects(coreOf({ models: { main: { kind: 'majority' } } }), isMisfit);
  const classes = { task: 'classification', maxClasses: 2 } as const;
  await assert.rejects(coreOf({ ...classes, models: { main: { kind: 'mean' } } }), isMisfit);
});

it('a snapshot of other shapes is damage, named by array', async () => {
  const snapshot = (await coreOf()).snapshot();
  await assert.rejects(
    TrainerCore.create(trainerOptions({ featureCount: 4 }), snapshot),
    (error) => error instanceof CheckpointError && error.message.includes('"kernel"'),
  );
});

it('the digest in a snapshot is that of the weights in it', async () => {
  const core = await coreOf();
  for (const batch of batches(readings(20), 5)) core.observe(batch);
  const { json, arrays } = core.snapshot();
  const weights = [
    { name: 'kernel', shape: [3, 1], values: Float32Array.from(arrays['models.main.weights.kernel']!) },
    { name: 'bias', shape: [1], values: Float32Array.from(arrays['models.main.weights.bias']!) },
  ];
  assert.equal((json as Record<string, JsonValue>)['weightsDigest'], weightsDigest(weights));
});
