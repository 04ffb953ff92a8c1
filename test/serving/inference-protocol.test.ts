import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { httpParts, predictionsOf, serverOf } from './http-parts.ts';
import { SimulatedRun } from './simulated-run.ts';
import { SumPredictor, sumVersion, type SumOptions } from './sum-predictor.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly document: unknown;
}

async function asked(t: TestContext, version = sumVersion(2)) {
  const predictions = predictionsOf(new SumPredictor(version));
  const { url } = await serverOf(t, httpParts(new SimulatedRun(0), { predictions }));
  const answered = async (answer: Response): Promise<Answer> => ({
    status: answer.status,
    headers: answer.headers,
    document: await answer.json(),
  });
  return {
    get: async (path: string) => answered(await fetch(`${url}${path}`)),
    infer: async (request: unknown, path = '/v2/models/weather/infer') =>
      answered(await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(request) })),
    post: (body: Uint8Array, headers: Readonly<Record<string, string>>) =>
      fetch(`${url}/v2/models/weather/infer`, { method: 'POST', body, headers: { ...headers } }),
  };
}

const features = { name: 'features', datatype: 'FP64', shape: [2, 2], data: [1, 2, 3, 4] };
const parameters = {
  step: 2,
  trained_through: '1970-01-01T00:00:02.000Z',
  trained_through_positions: '{"readings:0":20}',
};

suite('the Open Inference Protocol', () => {
  test('describes the server, its models and what each takes and gives', async (t) => {
    const { get } = await asked(t);
    assert.deepEqual((await get('/v2')).document, {
      name: 'millrace',
      version: '0.1.0',
      extensions: ['binary_tensor_data'],
    });
    const described = {
      versions: ['checkpoint-2'],
      platform: 'millrace',
      inputs: [{ name: 'features', datatype: 'FP64', shape: [-1, 2] }],
      outputs: [{ name: 'prediction', datatype: 'FP64', shape: [-1, 1] }],
      parameters: { columns: 'a,b', ...parameters },
    };
    for (const name of ['weather', 'weather.shadow']) {
      assert.deepEqual((await get(`/v2/models/${name}`)).document, { name, ...described });
      assert.deepEqual((await get(`/v2/models/${name}/versions/checkpoint-2`)).document, { name, ...described });
      assert.deepEqual((await get(`/v2/models/${name}/ready`)).document, { name, ready: true });
    }
  });

  test('infers by the served model and by any other, flat or nested, and says which version answered', async (t) => {
    const { infer } = await asked(t);
    const answer = { model_name: 'weather', model_version: 'checkpoint-2', parameters };
    const output = { name: 'prediction', datatype: 'FP64', shape: [2, 1] };
    const { document } = await infer({ id: 'r1', inputs: [features] });
    assert.deepEqual(document, { ...answer, id: 'r1', outputs: [{ ...output, data: [6, 14] }] });
    const rows = [
      [1, 2],
      [3, 4],
    ];
    const nested = await infer({ inputs: [{ ...features, data: rows }], outputs: [{ name: 'prediction' }] });
    assert.deepEqual(nested.document, { ...answer, outputs: [{ ...output, data: [6, 14] }] });
    const shadow = await infer({ inputs: [features] }, '/v2/models/weather.shadow/versions/checkpoint-2/infer');
    const expected = { ...answer, model_name: 'weather.shadow', outputs: [{ ...output, data: [0, 0] }] };
    assert.deepEqual(shadow.document, expected);
  });

  test('takes tensors as bytes behind the JSON and gives them so', async (t) => {
    const { post } = await asked(t);
    for (const [datatype, tensor] of [
      ['FP32', Float32Array.of(1, 2, 3, 4)],
      ['FP64', Float64Array.of(1, 2, 3, 4)],
    ] as const) {
      const input = { name: 'features', datatype, shape: [2, 2], parameters: { binary_data_size: tensor.byteLength } };
      const json = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
      const body = Buffer.concat([json, Buffer.from(tensor.buffer)]);
      const answer = await post(body, { 'inference-header-content-length': String(json.length) });
      assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
      const bytes = Buffer.from(await answer.arrayBuffer());
      const length = Number(answer.headers.get('inference-header-content-length'));
      const { outputs } = JSON.parse(bytes.subarray(0, length).toString()) as { outputs: readonly unknown[] };
      const output = { name: 'prediction', datatype: 'FP64', shape: [2, 1], parameters: { binary_data_size: 16 } };
      assert.deepEqual(outputs, [output]);
      assert.deepEqual([bytes.readDoubleLE(length), bytes.readDoubleLE(length + 8)], [6, 14]);
      assert.equal(bytes.length, length + 16);
    }
  });

  test('names the classes and gives the probability of each', async (t) => {
    const { infer, get } = await asked(t, sumVersion(1, { classes: ['rain', 'sun'] }));
    const { outputs, parameters: found } = (await get('/v2/models/weather')).document as {
      outputs: readonly { shape: unknown }[];
      parameters: { classes: string };
    };
    assert.deepEqual([outputs[0]!.shape, found.classes], [[-1, 2], '["rain","sun"]']);
    const { document } = await infer({ inputs: [{ ...features, shape: [1, 2], data: [0.25, 0] }] });
    assert.deepEqual((document as { outputs: readonly { data: unknown }[] }).outputs[0]!.data, [0.25, 0.75]);
  });

  test('lists models with their state', async (t) => {
    const options: SumOptions = { refusal: 'it predicts from power' };
    const predictions = predictionsOf(new SumPredictor(sumVersion(2, options)));
    const { url } = await serverOf(t, httpParts(new SimulatedRun(0), { predictions }));
    const index = await fetch(`${url}/v2/repository/index`, { method: 'POST' });
    assert.deepEqual(await index.json(), [
      { name: 'weather', version: 'checkpoint-2', state: 'READY', reason: '' },
      { name: 'weather.shadow', version: 'checkpoint-2', state: 'UNAVAILABLE', reason: 'it predicts from power' },
    ]);
    const shadow = await fetch(`${url}/v2/models/weather.shadow/ready`);
    assert.deepEqual([shadow.status, await shadow.json()], [501, { error: 'it predicts from power' }]);
    const body = JSON.stringify({ inputs: [features] });
    assert.equal((await fetch(`${url}/v2/models/weather.shadow/infer`, { method: 'POST', body })).status, 501);
  });

  test('before the first version it says when to come again', async (t) => {
    const { url } = await serverOf(t);
    for (const path of ['/v2/models/weather', '/v2/models/weather/ready']) {
      const { status, headers } = await fetch(`${url}${path}`);
      assert.deepEqual([status, headers.get('retry-after')], [503, '5'], path);
    }
    const index = await fetch(`${url}/v2/repository/index`, { method: 'POST' });
    const [first] = (await index.json()) as readonly unknown[];
    assert.deepEqual(first, { name: 'weather', version: '', state: 'UNAVAILABLE', reason: 'no model is served yet' });
  });

  test('no name reaches anything but the models of the pipeline', async (t) => {
    const { get } = await asked(t);
    const names = [
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e',
      '%2fetc%2fpasswd',
      '__proto__',
      'constructor',
      'main',
      'a'.repeat(5000),
    ];
    for (const name of names) assert.equal((await get(`/v2/models/${name}`)).status, 404, name);
    const other = await get('/v2/models/weather/versions/checkpoint-1');
    assert.deepEqual(
      [other.status, other.document],
      [404, { error: 'this version is not served; it is checkpoint-2 now' }],
    );
  });

  test('says which part of a request does not fit', async (t) => {
    const { infer } = await asked(t);
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [[], /^the body: expected a JSON object/],
      [{}, /^inputs: expected one tensor named features$/],
      [{ inputs: [features, features] }, /^inputs: expected one/],
      [{ inputs: [{ ...features, name: 'x' }] }, /^inputs\[0\]\.name: expected features$/],
      [{ inputs: [{ ...features, datatype: 'INT8' }] }, /^inputs\[0\]\.datatype: expected FP32 or FP64$/],
      [{ inputs: [{ ...features, shape: [2, 3] }] }, /^inputs\[0\]\.shape: expected \[rows, 2\]$/],
      [{ inputs: [{ ...features, shape: [1025, 2] }] }, /^inputs\[0\]\.shape: expected at most 1024 rows$/],
      [{ inputs: [{ ...features, data: [1, 2, 3] }] }, /^inputs\[0\]\.data: expected 4 numbers$/],
      [{ inputs: [{ ...features, data: [1, 2, 3, 'x'] }] }, /^inputs\[0\]\.data\[3\]: expected a finite number/],
      [
        { inputs: [{ ...features, parameters: { binary_data_size: 32 } }] },
        /^the body: expected 32 bytes behind the JSON$/,
      ],
      [{ inputs: [{ ...features, parameters: { binary_data_size: 1e9 } }] }, /binary_data_size: expected 32$/],
      [{ inputs: [features], outputs: [{ name: 'x' }] }, /^outputs: expected one tensor named prediction$/],
    ];
    for (const [request, message] of cases) {
      const { status, document } = await infer(request);
      assert.equal(status, 400);
      assert.match((document as { error: string }).error, message);
    }
  });

  test('refuses compressed bodies, lengths that are none, and predictions that are no numbers', async (t) => {
    const { post, infer } = await asked(t);
    const body = Buffer.from(JSON.stringify({ inputs: [features] }));
    assert.equal((await post(body, { 'content-encoding': 'gzip' })).status, 415);
    for (const length of ['-1', '1e3', 'x']) {
      assert.equal((await post(body, { 'inference-header-content-length': length })).status, 400);
    }
    assert.equal((await post(body, { 'inference-header-content-length': '10' })).status, 400);
    const { status, document } = await infer({ inputs: [{ ...features, data: [1, 1, 1e308, 1e308] }] });
    assert.equal(status, 422);
    assert.match((document as { error: string }).error, /^the prediction of row 1 is not finite/);
  });
});
