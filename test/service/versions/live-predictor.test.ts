import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { of } from 'rxjs';
import { makeScaler } from '../../../src/service/assembly.ts';
import { featurePlan } from '../../../src/service/feature-plan.ts';
import { LivePredictor } from '../../../src/service/versions/live-predictor.ts';
import { trainerOptions } from '../../../src/service/trainer-options.ts';
import { jsonCodec } from '../../../src/codecs/json-codec.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { Batcher } from '../../../src/operators/batcher.ts';
import { decode, DecodeState } from '../../../src/operators/decode.ts';
import { derive } from '../../../src/operators/derive.ts';
import { fieldPlanOf } from '../../../src/operators/feature-plan.ts';
import { FeatureState } from '../../../src/operators/feature-state.ts';
import { normalize } from '../../../src/operators/normalize.ts';
import type { ScaledBlock } from '../../../src/records.ts';
import { silentTelemetry as telemetry } from '../../../src/telemetry.ts';
import { TrainerCore } from '../../../src/trainer/trainer-core.ts';
import { recordBlock } from '../../support/blocks.ts';
import { temporaryDirectory, type Cleanup } from '../../support/command.ts';

type Json = Readonly<Record<string, unknown>>;

const settings = {
  name: 'turbines',
  source: { log: { dir: 'log', topic: 'readings' } },
  decode: 'json',
  key: 'turbine',
  features: {
    power: {},
    'wind.speed': {},
    direction: { as: 'cyclic', period: 360 },
    site: { as: 'oneHot', max: 2 },
    before: { field: 'power', as: 'lag', rows: 1 },
    longBefore: { field: 'power', as: 'lag', rows: 3 },
  },
  target: { field: 'power', horizon: '1s', as: 'change' },
  batch: { rows: 4 },
  models: { main: { mlp: { hidden: [4] } }, last: 'lastValue' },
  backend: 'cpu',
};

/** The operators and the trainer of a pipeline, fed record by record, and what predicts beside it. */
class Turbines {
  readonly predictor: LivePredictor;
  readonly #config;
  readonly #plan;
  readonly #state;
  readonly #scaler;
  readonly #batcher;
  readonly #trainer: TrainerCore;
  readonly #decode = new DecodeState();
  #offset = 0;

  private constructor(
    config: ReturnType<typeof loadConfig>['config'],
    plan: Awaited<ReturnType<typeof featurePlan>>,
    trainer: TrainerCore,
  ) {
    this.#config = config;
    this.#plan = plan;
    this.#state = new FeatureState(plan);
    this.#scaler = makeScaler(config, this.#state.columns);
    this.#batcher = new Batcher(config.batch.rows, this.#state.featureCount);
    this.#trainer = trainer;
    this.predictor = new LivePredictor(config, plan, this.#state, null);
  }

  static async start(t: Cleanup, over: Json = {}): Promise<Turbines> {
    const file = join(temporaryDirectory(t), 'turbines.yaml');
    writeFileSync(file, JSON.stringify({ ...settings, ...over }));
    const { config } = loadConfig(file);
    const plan = await featurePlan(config, () => Promise.resolve([]));
    const { featureCount } = new FeatureState(plan);
    const options = trainerOptions(config, { featureCount, restoredRows: 0, wantsPredictions: false });
    return new Turbines(config, plan, await TrainerCore.create(options, null));
  }

  /** Sends a record down the stream; the features that it is learned with, in original units and standardized. */
  learn(record: Json): { readonly raw: Float64Array; readonly scaled: Float32Array } {
    const { limits } = this.#config;
    const codec = jsonCodec({ plan: fieldPlanOf(this.#plan), limits });
    const parts = { codec, plan: this.#plan, telemetry, onReject: refuse };
    const at = { firstOffset: this.#offset, firstTimestampMs: 1000 * this.#offset };
    this.#offset += 1;
    let raw = new Float64Array(0);
    let scaled: ScaledBlock | undefined;
    of(recordBlock([JSON.stringify(record)], at))
      .pipe(decode(this.#decode, parts), derive(this.#state, parts))
      .subscribe((rows) => {
        raw = rows.features.slice();
        of(rows)
          .pipe(normalize(this.#scaler, telemetry))
          .subscribe((block) => (scaled = block));
      });
    this.#batcher.push(scaled!);
    for (const batch of this.#batcher.takeFull()) this.#trainer.observe(batch);
    return { raw, scaled: scaled!.features.slice() };
  }

  /** Serves what is learned now. */
  publish(): void {
    const version = this.predictor.versionOf({
      id: `checkpoint-${this.#offset}`,
      step: this.#offset,
      positions: [{ topic: 'readings', partition: 0, nextOffset: this.#offset, epoch: 0 }],
      parts: new Map([
        ['derive', this.#state.snapshot()],
        ['normalize', this.#scaler.snapshot()],
        ['trainer', this.#trainer.snapshot()],
      ]),
    });
    this.predictor.publish(version);
  }

  /** What a row is transformed to by the moments of now. */
  scaledNow(raw: Float64Array): Float32Array {
    const scaled = new Float32Array(raw.length);
    this.#scaler.transform(raw, scaled, 0);
    return scaled;
  }
}

function refuse(): never {
  throw new Error('a record was rejected');
}

function bits(values: Float64Array | Float32Array): readonly number[] {
  return [...new Uint8Array(values.buffer, values.byteOffset, values.byteLength)];
}

const record = fc.record(
  {
    turbine: fc.constantFrom('t1', 't2', 't3'),
    power: fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
    wind: fc.record({ speed: fc.oneof(fc.double({ noNaN: true, min: 0, max: 60 }), fc.constant(null)) }),
    direction: fc.oneof(fc.integer({ min: 0, max: 360 }), fc.boolean()),
    site: fc.oneof(fc.constantFrom('north', 'south', 'east', 'west'), fc.constant(null), fc.integer({ max: 9 })),
    other: fc.anything(),
  },
  { requiredKeys: ['turbine', 'power'] },
);

suite('LivePredictor', () => {
  test('makes of a record the features that it is learned with a moment later, bit by bit', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 30 }), async (records) => {
        const turbines = await Turbines.start(t);
        for (const each of records) {
          const json = JSON.parse(JSON.stringify(each)) as Json;
          const { rows, faults } = turbines.predictor.rowsOf([json]);
          const { raw, scaled } = turbines.learn(json);
          assert.deepEqual(faults, []);
          assert.deepEqual(bits(rows.features), bits(raw));
          assert.deepEqual(bits(turbines.scaledNow(rows.features)), bits(scaled));
        }
      }),
      { seed: 4711, numRuns: 25 },
    );
  });

  test('changes nothing by predicting, and has no version before one is published', async (t) => {
    const turbines = await Turbines.start(t);
    assert.equal(turbines.predictor.version, null);
    turbines.learn({ turbine: 't1', power: 1, site: 'north' });
    const first = turbines.predictor.rowsOf([{ turbine: 'new', power: 5, site: 'south' }]);
    const second = turbines.predictor.rowsOf([
      { turbine: 'new', power: 6, site: 'west' },
      { turbine: 'new', power: 5, site: 'south' },
    ]);
    assert.deepEqual([...second.rows.keyIds], [-1, -1]);
    const { length } = first.rows.features;
    assert.deepEqual(bits(second.rows.features.slice(length)), bits(first.rows.features));
  });

  test('asks for what features are made of, the key, and the target that a change is added to', async (t) => {
    const { predictor } = await Turbines.start(t);
    assert.deepEqual(predictor.fields, [
      { name: 'power', type: 'number', isRequired: true },
      { name: 'wind.speed', type: 'number', isRequired: false },
      { name: 'direction', type: 'number', isRequired: false },
      { name: 'site', type: 'text', isRequired: false },
      { name: 'turbine', type: 'text', isRequired: true },
    ]);
    const { faults } = predictor.rowsOf([{ power: null }]);
    assert.deepEqual(
      faults.map(({ field, found }) => [field, found]),
      [
        ['power', 'nothing'],
        ['turbine', 'nothing'],
      ],
    );
    const sameRecord = await Turbines.start(t, {
      features: { 'wind.speed': {}, before: { field: 'power', as: 'lag', rows: 1 } },
      target: 'power',
    });
    const names = sameRecord.predictor.fields.map(({ name }) => name);
    assert.deepEqual(names, ['wind.speed', 'turbine'], 'neither a lag nor what is to be predicted');
  });

  test('a version answers the same whatever is learned and published after it, and says what it was trained on', async (t) => {
    const turbines = await Turbines.start(t);
    const learn = (from: number, to: number): void => {
      for (let n = from; n < to; n += 1) turbines.learn({ turbine: 't1', power: 10 + Math.sin(n), wind: { speed: n } });
    };
    learn(0, 40);
    turbines.publish();
    const { predictor } = turbines;
    const version = predictor.version!;
    const { rows } = predictor.rowsOf([{ turbine: 't1', power: 11, wind: { speed: 3 } }]);
    const before = await version.predict('main', rows);
    learn(40, 80);
    turbines.publish();
    assert.deepEqual(await version.predict('main', rows), before);
    assert.notDeepEqual(await predictor.version!.predict('main', rows), before);
    const { id, trainedThrough } = version;
    // The label of the row at 38 s comes a second later; that of the row at 39 s has not come.
    assert.deepEqual(
      { id, trainedThrough },
      {
        id: 'checkpoint-40',
        trainedThrough: { time: '1970-01-01T00:00:38.000Z', positions: { 'readings:0': 40 } },
      },
    );
  });

  test('the last value is the own target, else what the key showed last before the version', async (t) => {
    const turbines = await Turbines.start(t, { target: { field: 'power', horizon: '1s' }, serve: 'last' });
    for (let n = 0; n < 8; n += 1) turbines.learn({ turbine: 't1', power: n });
    turbines.publish();
    const { predictor } = turbines;
    const { rows } = predictor.rowsOf([{ turbine: 't1', power: 50 }, { turbine: 't1' }, { turbine: 'new' }]);
    assert.deepEqual([...(await predictor.version!.predict('last', rows))], [50, 7, 0]);
  });

  test('features alone are enough where the target is one of them', async (t) => {
    const turbines = await Turbines.start(t);
    for (let n = 0; n < 20; n += 1) turbines.learn({ turbine: 't1', power: n, wind: { speed: 2 * n } });
    turbines.publish();
    const { predictor } = turbines;
    const version = predictor.version!;
    const { rows } = predictor.rowsOf([{ turbine: 't1', power: 21, wind: { speed: 42 } }]);
    assert.equal(version.refusal('main'), null);
    const fromFeatures = await version.predict('main', predictor.rowsOfFeatures(rows.features));
    assert.deepEqual(fromFeatures, await version.predict('main', rows));

    const blind = await Turbines.start(t, { features: { 'wind.speed': {} } });
    blind.learn({ turbine: 't1', power: 1 });
    blind.publish();
    const refusal = blind.predictor.version!.refusal('main');
    assert.equal(
      refusal,
      'models.main predicts from power, which is no feature of its own; post records to /v1/predict',
    );
  });

  test('classes are those of the version', async (t) => {
    const turbines = await Turbines.start(t, {
      features: { power: {} },
      target: { field: 'site', task: 'classification' },
      models: { main: 'linear', most: 'majority' },
    });
    for (let n = 0; n < 8; n += 1) turbines.learn({ turbine: 't1', power: n, site: n % 4 === 0 ? 'north' : 'south' });
    turbines.publish();
    const { predictor } = turbines;
    const version = predictor.version!;
    turbines.learn({ turbine: 't1', power: 0, site: 'east' });
    const { rows } = predictor.rowsOf([{ turbine: 't1', power: 3 }]);
    assert.deepEqual(version.classes, ['north', 'south']);
    assert.deepEqual([...(await version.predict('most', rows))], [0.25, 0.75]);
    const [north = NaN, south = NaN] = await version.predict('main', rows);
    assert.ok(Math.abs(north + south - 1) < 1e-12);
  });
});
