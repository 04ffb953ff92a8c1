import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { HttpOptions } from '../../src/serving/http-server.ts';
import type { ServedVersion } from '../../src/serving/predictor.ts';
import { httpParts, predictionsOf, serverOf } from './http-parts.ts';
import { SimulatedRun } from './simulated-run.ts';
import { SumPredictor, sumVersion } from './sum-predictor.ts';

const origin = {
  modelVersion: 'checkpoint-2',
  step: 2,
  trainedThrough: { time: '1970-01-01T00:00:02.000Z', positions: { 'readings:0': 20 } },
};

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly document: unknown;
}

async function predicting(t: TestContext, version: ServedVersion | null, options: Partial<HttpOptions> = {}) {
  const predictions = predictionsOf(new SumPredictor(version));
  const { url } = await serverOf(t, httpParts(new SimulatedRun(0), { predictions }), options);
  return async (body: unknown, signal: AbortSignal | null = null): Promise<Answer> => {
    const answer = await fetch(`${url}/v1/predict`, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), document: await answer.json() };
  };
}

suite('POST /v1/predict', () => {
  test('answers an object with its prediction, and an array with one for each, in order, all with their origin', async (t) => {
    const predict = await predicting(t, sumVersion(2));
    const one = await predict({ a: 1, b: 2.25 });
    assert.deepEqual(one, { status: 200, retryAfter: null, document: { value: 6.5, ...origin } });
    const many = await predict([{ a: 1, b: 1 }, { a: 2 }]);
    const predictions = [{ value: 4 }, { value: 4, missing: ['b'] }];
    assert.deepEqual(many.document, { predictions, ...origin });
    assert.deepEqual((await predict([])).document, { predictions: [], ...origin });
  });

  test('answers with the likeliest class and the probability of each', async (t) => {
    const predict = await predicting(t, sumVersion(1, { classes: ['rain', 'sun'] }));
    const { document } = await predict({ a: 0.25, b: 0 });
    const { value, probabilities } = document as { value: string; probabilities: unknown };
    assert.deepEqual({ value, probabilities }, { value: 'sun', probabilities: { rain: 0.25, sun: 0.75 } });
  });

  test('has no class to name while none is known', async (t) => {
    const predict = await predicting(t, sumVersion(1, { classes: [] }));
    const { document } = await predict({ a: 0.25, b: 0 });
    const { value, probabilities } = document as { value: string; probabilities: unknown };
    assert.deepEqual({ value, probabilities }, { value: null, probabilities: {} });
  });

  test('names the row and the field that do not fit', async (t) => {
    const predict = await predicting(t, sumVersion(2));
    const faults = [{ row: 1, field: 'a', expected: 'a number', found: 'string' }];
    assert.deepEqual(await predict([{ a: 1 }, { a: 'x' }]), {
      status: 400,
      retryAfter: null,
      document: { error: 'row 1, a: expected a number, found string', faults },
    });
    const { document } = await predict({ a: 'x' });
    assert.equal((document as { error: string }).error, 'a: expected a number, found string');
  });

  test('says when to come again while there is no version', async (t) => {
    const predict = await predicting(t, null);
    assert.deepEqual(await predict({ a: 1 }), {
      status: 503,
      retryAfter: '5',
      document: { error: 'no model is served yet' },
    });
  });

  test('says so where the served model answers with what is no number', async (t) => {
    const predict = await predicting(t, sumVersion(2));
    const { status, document } = await predict([{ a: 1 }, { a: 1e308, b: 1e308 }]);
    assert.equal(status, 422);
    assert.match((document as { error: string }).error, /^the prediction of row 1 is not finite/);
  });

  test('holds the place of a request whose client has gone until its prediction is made', async (t) => {
    const version = sumVersion(2);
    const [asked, made] = [new EventEmitter(), new EventEmitter()];
    const predict: ServedVersion['predict'] = async (model, rows) => {
      asked.emit('one');
      await once(made, 'it');
      return version.predict(model, rows);
    };
    const post = await predicting(t, { ...version, predict }, { concurrentRequests: 1 });
    const [leaving, isAsked] = [new AbortController(), once(asked, 'one')];
    const left = assert.rejects(post({ a: 1 }, leaving.signal), /abort/);
    await isAsked;
    leaving.abort();
    await left;
    // What is refused at once was not predicted, and so cannot wait for it.
    for (let n = 0; n < 20; n += 1) assert.equal((await post({ a: 1 })).status, 503);
    made.emit('it');
    const [taken, isTaken] = [post({ a: 1 }), once(asked, 'one')];
    await isTaken;
    made.emit('it');
    assert.equal((await taken).status, 200);
  });

  test('takes at most 1,024 rows', async (t) => {
    const predict = await predicting(t, sumVersion(2));
    const rows = Array.from({ length: 1025 }, () => ({ a: 1 }));
    assert.equal((await predict(rows.slice(1))).status, 200);
    const { status, document } = await predict(rows);
    assert.equal(status, 413);
    assert.deepEqual(document, { error: '1025 rows are too many for one request; send at most 1024' });
  });
});
