import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { millraceClient, MillraceError, type MillraceClient } from '../src/client.ts';
import { httpParts, predictionsOf, serverOf } from './serving/http-parts.ts';
import { SimulatedRun } from './serving/simulated-run.ts';
import { SumPredictor, sumVersion } from './serving/sum-predictor.ts';

async function clientOf(t: TestContext, run = new SimulatedRun(0)): Promise<MillraceClient> {
  const predictions = predictionsOf(new SumPredictor(sumVersion(2)));
  const { url } = await serverOf(t, httpParts(run, { predictions }));
  return millraceClient({ url: `${url}/` });
}

suite('millraceClient', () => {
  test('predicts one record and many', async (t) => {
    const client = await clientOf(t);
    const { value, modelVersion, trainedThrough } = await client.predict({ a: 1, b: 2 });
    assert.deepEqual([value, modelVersion], [6, 'checkpoint-2']);
    assert.deepEqual(trainedThrough.positions, { 'readings:0': 20 });
    const { predictions, step } = await client.predictMany([{ a: 1 }, { a: 2, b: 1 }]);
    assert.deepEqual([predictions, step], [[{ value: 2, missing: ['b'] }, { value: 6 }], 2]);
  });

  test('throws what the pipeline says, field by field', async (t) => {
    const client = await clientOf(t);
    await assert.rejects(client.predict({ a: 'x' }), (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.message, 'a: expected a number, found string');
      assert.deepEqual([error.status, error.retryAfterSeconds], [400, null]);
      assert.deepEqual(error.faults, [{ row: 0, field: 'a', expected: 'a number', found: 'string' }]);
      return true;
    });
  });

  test('says when to try again, and why a pipeline is not ready', async (t) => {
    const run = new SimulatedRun(0);
    const { url } = await serverOf(t, httpParts(run));
    const client = millraceClient({ url });
    await assert.rejects(client.predict({ a: 1 }), {
      status: 503,
      retryAfterSeconds: 5,
      message: 'no model is served yet',
    });
    assert.deepEqual(await client.notReady(), ['the source has not joined yet', 'no model is in place yet']);
    run.start();
    assert.deepEqual(await client.notReady(), []);
  });

  test('an answer that is none of the pipeline is an error with its status', async (t) => {
    const proxy = createServer((_, response) => response.writeHead(502).end('<html>')).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    t.after(() => proxy.close());
    const client = millraceClient({ url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    await assert.rejects(client.predict({}), { status: 502, message: 'HTTP status 502' });
    await assert.rejects(client.notReady(), { status: 502 });
  });
});
