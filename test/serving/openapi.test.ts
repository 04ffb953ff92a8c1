import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { OpenApi } from '../../src/serving/openapi.ts';
import { httpParts, predictionsOf, serverOf } from './http-parts.ts';
import { SimulatedRun } from './simulated-run.ts';
import { SumPredictor, sumVersion } from './sum-predictor.ts';

type Document = OpenApi & { readonly components: { readonly schemas: { readonly Record: unknown } } };

suite('the description of the interface', () => {
  test('has every route that programs may rely on, and the fields of a record once they are known', async (t) => {
    const predictions = predictionsOf(new SumPredictor(sumVersion(1)));
    const { url } = await serverOf(t, httpParts(new SimulatedRun(0), { predictions }));
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
    assert.equal(document.openapi, '3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const model = '/v2/models/{name}';
    const version = `${model}/versions/{version}`;
    const forModels = [model, version].flatMap((path) => [`get ${path}`, `get ${path}/ready`, `post ${path}/infer`]);
    const others = ['get /v2', 'get /v2/health/live', 'get /v2/health/ready', 'post /v2/repository/index'];
    const changes = ['pin', 'unpin', 'rollback'].map((change) => `post /v1/models/${change}`);
    const forVersions = ['get /v1/models', ...changes];
    assert.deepEqual(
      operations.sort(),
      [
        ...forModels,
        ...others,
        ...forVersions,
        'get /metrics',
        'get /events',
        'get /openapi.json',
        'post /v1/predict',
      ].sort(),
    );
    const { parameters = [] } = document.paths[`${version}/infer`]!['post']!;
    assert.deepEqual(
      parameters.map(({ name }) => name),
      ['name', 'version'],
    );
    const record = document.components.schemas.Record as { properties: unknown; required: unknown };
    assert.deepEqual(record.properties, {
      a: { type: ['number', 'boolean'] },
      b: { type: ['number', 'boolean', 'null'] },
    });
    assert.deepEqual(record.required, ['a']);
  });

  test('is a page to read, which loads nothing of anybody else and runs nothing', async (t) => {
    const predictions = predictionsOf(new SumPredictor(sumVersion(1)));
    const { url } = await serverOf(t, httpParts(new SimulatedRun(0), { predictions }));
    const answer = await fetch(`${url}/docs`);
    const page = await answer.text();
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.doesNotMatch(page, /<script|<style|style=|https?:/);
    for (const [, path = ''] of page.matchAll(/(?:href|src)="([^"]+)"/g))
      assert.equal((await fetch(`${url}${path}`)).status, 200, path);
    assert.match(page, /<code>\/v1\/predict<\/code>/);
    assert.match(page, /<th scope="row"><code>a<\/code><\/th><td>number<\/td><td>required<\/td>/);
  });

  test('says so while the fields are not known', async (t) => {
    const { url } = await serverOf(t);
    assert.match(await (await fetch(`${url}/docs`)).text(), /Its fields are known when the pipeline has started/);
  });
});
