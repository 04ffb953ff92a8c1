import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, suite, test } from 'node:test';
import { httpServer, type HttpServer } from '../../src/serving/http-server.ts';
import { httpParts, loopback, predictionsOf } from '../serving/http-parts.ts';
import { SimulatedRun } from '../serving/simulated-run.ts';
import { SumPredictor, sumVersion } from '../serving/sum-predictor.ts';

const json = 'content-type: application/json\r\n';

/** A request as bytes. */
function post(path: string, headers: string, body = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n${body}`;
}

function predict(body: string, type = json): string {
  return post('/v1/predict', `${type}content-length: ${Buffer.byteLength(body)}\r\n`, body);
}

function infer(body: string): string {
  return post('/v2/models/weather/infer', `content-length: ${Buffer.byteLength(body)}\r\n`, body);
}

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`;
}

const deep = '['.repeat(100_000) + ']'.repeat(100_000);

/** Each abuse, and the status that answers it. */
const abuses: readonly (readonly [string, string, number])[] = [
  ['no body', predict('', json), 400],
  ['no body and no type', post('/v1/predict', ''), 400],
  ['a body of a gigabyte, as announced', post('/v1/predict', `${json}content-length: 1073741824\r\n`, '{}'), 413],
  [
    'a body of a gigabyte, as it comes',
    post('/v1/predict', `${json}transfer-encoding: chunked\r\n`, chunks(1 << 21)),
    413,
  ],
  ['another type', predict('{"a":1}', 'content-type: text/plain\r\n'), 415],
  ['a form', predict('a=1', 'content-type: application/x-www-form-urlencoded\r\n'), 415],
  ['deep JSON', predict(deep), 400],
  ['deep JSON to infer', infer(deep), 400],
  ['deep JSON in a field', predict(`{"a":${deep}}`), 400],
  ['NaN', predict('[NaN]'), 400],
  ['an infinite number', predict('[{"a":1e400}]'), 422],
  ['another length', infer('{"inputs":[{"name":"features","datatype":"FP64","shape":[2,2],"data":[1]}]}'), 400],
  [
    'a length beyond the number of bytes',
    infer('{"inputs":[{"name":"features","datatype":"FP64","shape":[1e99,2]}]}'),
    400,
  ],
  ['__proto__', predict('{"__proto__":{"a":1}}'), 400],
  ['constructor', predict('{"constructor":{"prototype":{"a":1}}}'), 400],
  ['a path out of the page', get('/../../etc/passwd'), 403],
  ['the same encoded', get('/%2e%2e/%2e%2e/etc/passwd'), 403],
  ['a model that is a path', get('/v2/models/%2fetc%2fpasswd'), 404],
  ['a model that is not UTF-8', get('/v2/models/%ff'), 400],
  ['a header of 20 KB', get('/', `x-big: ${'a'.repeat(20_000)}\r\n`), 431],
  ['10,000 headers', get('/', 'a: b\r\n'.repeat(10_000)), 431],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['not HTTP', 'hello\r\n\r\n', 400],
  ['two lengths', post('/v1/predict', `${json}content-length: 2\r\ncontent-length: 3\r\n`, '{}'), 400],
  [
    'a length and chunks',
    post('/v1/predict', `${json}content-length: 2\r\ntransfer-encoding: chunked\r\n`, '0\r\n\r\n'),
    400,
  ],
  ['HTTP/1.0', 'GET /v2/health/live HTTP/1.0\r\n\r\n', 200],
];

function chunks(bytes: number): string {
  return `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n0\r\n\r\n`;
}

/** All that comes back until the other side closes. */
async function answerTo(socket: Socket, text: string): Promise<string> {
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

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
