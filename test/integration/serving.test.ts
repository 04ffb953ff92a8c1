import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { runForDocument, runPythonWithPackages, startCommand, until, type RunningCommand } from '../support/command.ts';
import { batchRows, makeFleet, stepsPerCheckpoint } from '../support/fleet.ts';
import { missing } from '../support/requirements.ts';

interface Prediction {
  readonly value: number;
  readonly modelVersion: string;
  readonly step: number;
  readonly missing: readonly string[];
  readonly trainedThrough: { readonly time: string; readonly positions: Readonly<Record<string, number>> };
}

interface Inferred {
  readonly version: string;
  readonly id: string;
  readonly values: readonly (readonly number[])[];
}

/** Of 3,000 readings, what lies before the last checkpoint of a service. */
const checkpointed = 17 * stepsPerCheckpoint * batchRows;

/** What `infer.py` prints. */
interface TritonDocument {
  readonly live: boolean;
  readonly ready: boolean;
  readonly modelReady: boolean;
  readonly server: { readonly name: string };
  readonly index: unknown;
  readonly metadata: {
    readonly name: string;
    readonly versions: readonly string[];
    readonly inputs: readonly [{ readonly shape: readonly number[] }];
  };
  readonly unknown: { readonly status: string; readonly message: string };
  readonly json: Inferred;
  readonly binary: Inferred;
  readonly float32: Inferred;
  readonly default: Inferred;
}

suite('a running pipeline', () => {
  const tidies: (() => void)[] = [];
  const fleet = makeFleet({ after: (tidy) => tidies.push(tidy) });
  let pipeline: RunningCommand;
  let url = '';

  before(async () => {
    await runForDocument(fleet.produce(3000));
    // So young a model changes much from one checkpoint to the next; here each is to be served.
    const promotion = { margin: 1, forgetting: 10 };
    pipeline = startCommand(['run', fleet.pipeline('served', { promotion }).file]);
    [, url = ''] = await pipeline.says(/live page at (http:\/\/[^ ,]+),/);
    await until(
      async () => (await predicted()).trainedThrough?.positions['readings:0'] === checkpointed,
      'the last checkpoint is served',
      20_000,
    );
  });

  after(async () => {
    pipeline.kill('SIGTERM');
    await pipeline.ended;
    for (const tidy of tidies) tidy();
  });

  async function posted(path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  }

  /** Of a sensor that nobody has seen, so that its lag is missing. */
  const predicted = async (): Promise<Partial<Prediction>> =>
    (await posted('/v1/predict', { sensorId: 'new', temperature: 20, load: 0.5, vibration: 1 })) as Partial<Prediction>;

  test('predicts from raw fields as from the features that they stand for, and says by which checkpoint', async () => {
    const { value, modelVersion = '', step = 0, trainedThrough, missing: lacking } = await predicted();
    assert.match(modelVersion, /^checkpoint-\d{12}$/);
    assert.ok(step > 100);
    assert.match(trainedThrough?.time ?? '', /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(lacking, ['site']);
    const data = [20, 0.5, 1, 0, 0, 0, 0, 0, null];
    const request = { inputs: [{ name: 'features', datatype: 'FP64', shape: [1, 9], data }] };
    const { model_version: version, outputs } = (await posted('/v2/models/fleet/infer', request)) as {
      readonly model_version: string;
      readonly outputs: readonly [{ readonly data: readonly number[] }];
    };
    assert.deepEqual([version, outputs[0].data], [modelVersion, [value]]);
  });

  test(
    'is listed, loaded and asked by a stock client of the inference protocol',
    { skip: missing('python-packages') },
    async () => {
      const rows = [
        [20, 0.5, 1, 1, 0, 0, 0, 0, 3],
        [25, 0.25, 2, 0, 1, 0, 0, 0, 4],
      ];
      const file = join(fleet.dir, 'rows.json');
      writeFileSync(file, JSON.stringify(rows));
      const found = (await runPythonWithPackages('infer.py', [new URL(url).host, 'fleet', file])) as TritonDocument;
      assert.deepEqual([found.live, found.ready, found.modelReady, found.server.name], [true, true, true, 'millrace']);
      const { modelVersion = '' } = await predicted();
      assert.deepEqual(found.index, [{ name: 'fleet', version: modelVersion, state: 'READY', reason: '' }]);
      const { name, versions, inputs } = found.metadata;
      assert.deepEqual([name, versions, inputs[0].shape], ['fleet', [modelVersion], [-1, 9]]);
      assert.deepEqual(found.unknown, { status: '404', message: 'no such model; there are fleet' });
      const { values } = found.json;
      assert.equal(values.length, 2);
      assert.deepEqual(found.json, { version: modelVersion, id: 'r1', values });
      assert.deepEqual(found.binary, found.json);
      assert.deepEqual(found.default, found.json);
      for (const [row, [value = NaN]] of found.float32.values.entries())
        assert.ok(Math.abs(value - values[row]![0]!) < 1e-4);
    },
  );
});
