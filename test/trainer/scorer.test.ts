import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, it } from 'node:test';
import type { Batch, Snapshot } from '../../src/records.ts';
import { layersScoring } from '../../src/trainer/layers/layers-scoring.ts';
import type { Rows } from '../../src/trainer/learner.ts';
import { scorerOf } from '../../src/trainer/scorer.ts';
import { TrainerCore } from '../../src/trainer/trainer-core.ts';
import type { BackendName, LearnerSpec, TrainerOptions } from '../../src/trainer/trainer.ts';
import { temporaryDirectory } from '../support/command.ts';
import { modelFile, netsOfThree, type LayerJson } from '../support/model-files.ts';
import { engines } from './engines.ts';
import { batches, readings, trainerOptions } from './support.ts';

const dir = temporaryDirectory({ after });
const hourMs = 3_600_000;
const mlp = (activation: 'relu' | 'tanh' | 'sigmoid'): LearnerSpec => ({ kind: 'mlp', hidden: [16, 8], activation });
const nets = { relu: mlp('relu'), tanh: mlp('tanh'), sigmoid: mlp('sigmoid') };
const training = {
  optimizer: { kind: 'adam' },
  learningRate: 0.01,
  clipNorm: 1,
  precision: 'float32',
  loss: { kind: 'mse' },
} as const;

const tasks: Readonly<Record<string, Partial<TrainerOptions>>> = {
  regression: { models: { ...nets, linear: { kind: 'linear' }, mean: { kind: 'mean' } }, served: 'relu' },
  classification: {
    task: 'classification',
    maxClasses: 4,
    models: { ...nets, linear: { kind: 'linear' }, majority: { kind: 'majority' } },
    served: 'relu',
  },
  'regression under a horizon, of changes': {
    models: { ...nets, linear: { kind: 'linear' }, mean: { kind: 'mean' }, last: { kind: 'lastValue' } },
    served: 'relu',
    horizonMs: hourMs,
    targetAs: 'change',
  },
};

/** Rows of the last batch as the trainer saw them, and what each model predicted of them, from its state after that batch. */
function waiting({ arrays }: Snapshot, from: number): { readonly rows: Rows; outputs(path: string): number[] } {
  const offsets = arrays['labels.offsets'] as Float64Array;
  const picked = Array.from(offsets.keys()).filter((i) => offsets[i]! >= from);
  const column = (name: string): Float64Array =>
    Float64Array.from(picked, (i) => (arrays[`labels.${name}`] as Float64Array)[i]!);
  const features = arrays['labels.features'] as Float32Array;
  return {
    rows: {
      rowCount: picked.length,
      featureCount: 3,
      features: Float32Array.from(picked.flatMap((i) => [...features.subarray(3 * i, 3 * i + 3)])),
      keyIds: new Int32Array(picked.length),
      ownTargets: column('ownTargets'),
      lastTargets: column('lastTargets'),
    },
    outputs: (path) => [...column(`outputs.${path}`)],
  };
}

function rowsOf({ rowCount, featureCount, features, keyIds, targets }: Batch): Rows {
  return { rowCount, featureCount, features, keyIds, ownTargets: targets, lastTargets: new Float64Array(rowCount) };
}

/** Models of every kind of layers that the engine can train, which end in so many outputs. */
function layersFor(engine: BackendName, outputs: number): Readonly<Record<string, LearnerSpec>> {
  const specs = Object.entries(netsOfThree)
    // wasm has no gradient of a convolution.
    .filter(([name]) => engine !== 'webgpu' && (engine !== 'wasm' || name !== 'conv1d'))
    .map(([name, layers]): [string, LearnerSpec] => {
      const ending: LayerJson = ['Dense', { units: outputs }];
      return [
        name,
        { kind: 'layers', file: modelFile(join(dir, `${name} ${outputs}`), [...layers.slice(0, -1), ending]) },
      ];
    });
  return Object.fromEntries(specs);
}

async function assertAgreement(options: TrainerOptions): Promise<void> {
  const stream = batches(readings(320, 5, options.task === 'classification' ? 3 : 0), 16);
  const core = await TrainerCore.create(options, null);
  for (const batch of stream.slice(0, -1)) core.observe(batch);
  const before = core.snapshot();
  const last = stream.at(-1)!;
  const { predictions } = core.observe(last);
  const late = options.horizonMs === null ? null : waiting(core.snapshot(), last.offsets[0]!);
  core.dispose();
  const layers = await layersScoring(options);
  for (const [name, spec] of Object.entries(options.models)) {
    const expected = late?.outputs(`models.${name}`) ?? [...predictions!.outputs[name]!];
    const found = await scorerOf(name, spec, { ...options, layers }, before).predict(late?.rows ?? rowsOf(last));
    assert.equal(found.length, expected.length);
    assert.ok(found.length >= 3);
    for (const [i, value] of found.entries()) {
      const limit = 1e-5 * Math.max(1, Math.abs(expected[i]!));
      assert.ok(Math.abs(value - expected[i]!) <= limit, `${name}, row ${i}: ${value} and ${expected[i]}`);
    }
  }
  await layers?.close();
}

for (const engine of engines) {
  for (const [task, changes] of Object.entries(tasks)) {
    it(`predicts as every model of a trainer on ${engine} does, within 1e-5: ${task}`, () => {
      const models = { ...changes.models, ...layersFor(engine, changes.maxClasses ?? 1) };
      return assertAgreement(trainerOptions({ ...changes, models, training, backend: engine, wantsPredictions: true }));
    });
  }
}

it('keeps no view of the state that it was made from', async () => {
  const options = trainerOptions({ models: { main: nets.tanh } });
  const core = await TrainerCore.create(options, null);
  const stream = batches(readings(64), 16);
  for (const batch of stream) core.observe(batch);
  const snapshot = core.snapshot();
  core.dispose();
  const scorer = scorerOf('main', nets.tanh, { ...options, layers: null }, snapshot);
  const before = scorer.predict(rowsOf(stream[0]!));
  for (const array of Object.values(snapshot.arrays)) array.fill(0);
  assert.deepEqual(scorer.predict(rowsOf(stream[0]!)), before);
});
