import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, suite, test } from 'node:test';
import { httpServer, type HttpServer } from '../../src/serving/http-server.ts';
import { httpParts, loopback, predictionsOf } from '../serving/http-parts.ts';
import { SimulatedRun } from '../serving/simulated-run.ts';
import { SumPredictor, sumVersion } from '../serving/sum-predictor.ts';
import { abuses, answerTo, infer, json, post, predict } from '../support/http-abuses.ts';

suite('against abuse', { concurrency: 32 }, () => {
  let server: HttpServer;

  before(async () => {
    const predictions = predictionsOf(new SumPredictor(sumVersion(1)));
    server = await httpServer(loopback, httpParts(new SimulatedRun(0), { predictions }));
  });

  after(() => server.close());

  afterEach(async () => {
    const { status } = await fetch(`${server.url}/v2/health/live`);
    assert.equal(status, 200);
  });

  const open = (): Socket => connect(server.port, '127.0.0.1');

  for (const [what, bytes, status] of abuses) {
    test(`${what}: ${status}`, async () => {
      assert.match(await answerTo(open(), bytes), new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }

  test('JSON of more than 64 levels is refused as that, before it is parsed', async () => {
    // No JSON: whoever parsed it would say that.
    const deep = '['.repeat(65);
    const error = /^HTTP\/1\.1 400 [^]*"the body: expected at most 64 levels of arrays and objects"/;
    assert.match(await answerTo(open(), predict(deep)), error);
    assert.match(await answerTo(open(), infer(deep)), error);
  });

  test('pipelined requests are answered in order', async () => {
    const body = (a: number): string => `{"a":${a}}`;
    const one = (a: number): string => predict(body(a)).replace('connection: close\r\n', '');
    const answer = await answerTo(open(), one(1) + one(2) + predict(body(3)));
    assert.deepEqual(
      [...answer.matchAll(/"value":(\d)/g)].map(([, value]) => value),
      ['1', '2', '3'],
    );
  });

  test('headers that come drop by drop are cut off', async () => {
    const answer = await answerTo(open(), 'GET / HTTP/1.1\r\nx: ');
    assert.match(answer, /^HTTP\/1\.1 408 /);
  });

  test('a body that never ends is cut off', async () => {
    const answer = await answerTo(open(), post('/v1/predict', `${json}content-length: 100\r\n`, '{'));
    assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
  });
});

suite('against crowds', () => {
  test('no more than 512 connections are held, and those that are there are answered', async (t) => {
    const predictions = predictionsOf(new SumPredictor(sumVersion(1)));
    const server = await httpServer(loopback, httpParts(new SimulatedRun(0), { predictions }));
    t.after(() => server.close());
    const first = connect(server.port, '127.0.0.1');
    await once(first, 'connect');
    const crowd = Array.from({ length: 1000 }, () => connect(server.port, '127.0.0.1').on('error', () => undefined));
    t.after(() => {
      for (const socket of crowd) socket.destroy();
    });
    let refused = 0;
    await new Promise<void>((resolve) => {
      for (const socket of crowd) {
        socket.resume().on('close', () => {
          refused += 1;
          if (refused === 1001 - 512) resolve();
        });
      }
    });
    assert.match(await answerTo(first, predict('{"a":1}')), /^HTTP\/1\.1 200 /);
  });

  test('a route that is busy says when to come again, before it reads the body', async (t) => {
    const predictions = predictionsOf(new SumPredictor(sumVersion(1)));
    const options = { ...loopback, concurrentRequests: 2 };
    const server = await httpServer(options, httpParts(new SimulatedRun(0), { predictions }));
    t.after(() => server.close());
    const open = (): Socket => connect(server.port, '127.0.0.1');
    const unfinished = post('/v1/predict', `${json}content-length: 7\r\n`, '{"a":');
    const [one, other] = [open(), open()];
    const answers = [answerTo(one, unfinished), answerTo(other, unfinished)];
    let answer = '';
    // Until both have arrived a third one is let through.
    while (!answer.startsWith('HTTP/1.1 503 ')) answer = await answerTo(open(), predict('{"a":1}'));
    assert.match(answer, /\r\nretry-after: 1\r\n/i);
    const elsewhere = infer('{"inputs":[{"name":"features","datatype":"FP64","shape":[1,2],"data":[1,2]}]}');
    assert.match(await answerTo(open(), elsewhere), /^HTTP\/1\.1 200 /, 'other routes are not busy');
    one.write('1}');
    other.destroy();
    assert.match((await Promise.all(answers))[0] ?? '', /^HTTP\/1\.1 200 /);
    assert.match(await answerTo(open(), predict('{"a":1}')), /^HTTP\/1\.1 200 /);
  });
});
