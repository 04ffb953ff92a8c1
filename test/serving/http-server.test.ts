import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { suite, test } from 'node:test';
import { ConfigError } from '../../src/errors.ts';
import { httpServer } from '../../src/serving/http-server.ts';
import { httpParts, loopback, serverOf } from './http-parts.ts';
import { SimulatedRun } from './simulated-run.ts';

const { host } = loopback;

/** Sends bytes as they are and collects what comes back until the other side closes. */
async function rawAnswer(socket: Socket, text: string): Promise<string> {
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

suite('httpServer', () => {
  test('is alive from the start, and ready once nothing speaks against it', async (t) => {
    const run = new SimulatedRun(0);
    const { url } = await serverOf(t, httpParts(run));
    assert.deepEqual(await (await fetch(`${url}/v2/health/live`)).json(), { live: true });
    const before = await fetch(`${url}/v2/health/ready`);
    assert.equal(before.status, 503);
    assert.deepEqual(await before.json(), {
      ready: false,
      reasons: ['the source has not joined yet', 'no model is in place yet'],
    });
    run.start();
    const after = await fetch(`${url}/v2/health/ready`);
    assert.equal(after.status, 200);
    assert.deepEqual(await after.json(), { ready: true });
  });

  test('hands the Accept header on to the metrics and their type back', async (t) => {
    const { url } = await serverOf(t);
    const answer = await fetch(`${url}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4');
    assert.equal(await answer.text(), '# accept application/openmetrics-text\n');
  });

  test('serves the page and all that it loads, and says that nothing else may be loaded', async (t) => {
    const { url } = await serverOf(t);
    const page = await fetch(url);
    const text = await page.text();
    const paths = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1] ?? '');
    assert.ok(paths.length >= 5);
    for (const path of paths.filter((each) => !each.startsWith('v2/'))) {
      assert.doesNotMatch(path, /^(https?:)?\/\//);
      const { status } = await fetch(`${url}/${path}`);
      assert.equal(status, 200, path);
    }
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(page.headers.get('strict-transport-security'), null);
  });

  test('gives out no file but those of the page', async (t) => {
    const { url, port } = await serverOf(t);
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '/%2e%2e%5cpackage.json']) {
      const socket = connect(port, host);
      const answer = await rawAnswer(socket, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 40[034] /, path);
    }
    const missing = await fetch(`${url}/nothing`);
    assert.equal(missing.status, 404);
    for (const path of ['/nothing', '/v2', '/v2/models/nothing', '/v1/models', '/metrics', '/openapi.json']) {
      const { headers } = await fetch(`${url}${path}`);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    }
    assert.deepEqual(await missing.json(), { error: 'not found' });
  });

  test('refuses oversized headers and bodies and stays alive', async (t) => {
    const { url, port } = await serverOf(t);
    const answer = await rawAnswer(
      connect(port, host),
      `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 431 /);
    const body = JSON.stringify('x'.repeat(1 << 20));
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(`${url}/v1/predict`, { method: 'POST', headers, body })).status, 413);
    assert.equal((await fetch(`${url}/v2/health/live`)).status, 200);
  });

  test('an error in a part becomes a 500 that tells nothing', async (t) => {
    const metrics = () => Promise.reject(new Error('secret path'));
    const { url } = await serverOf(t, httpParts(new SimulatedRun(0), { metrics }));
    const answer = await fetch(`${url}/metrics`);
    assert.equal(answer.status, 500);
    assert.deepEqual(await answer.json(), { error: 'internal error' });
  });

  test('a port in use is an error of the configuration that names key, value and fix', async (t) => {
    const other = createServer().listen(0, host);
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    await assert.rejects(httpServer({ ...loopback, port }, httpParts(new SimulatedRun(0))), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.code, 'http.portInUse');
      assert.match(error.message, new RegExp(`^http\\.port: ${port} is in use on 127\\.0\\.0\\.1; .*set http\\.port`));
      return true;
    });
  });

  test('an address of another machine is an error that names http.host', async () => {
    await assert.rejects(httpServer({ ...loopback, host: '192.0.2.1' }, httpParts(new SimulatedRun(0))), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^http\.host: 192\.0\.2\.1 is no address of this machine; set http\.host/);
      return true;
    });
  });

  test('closing ends the event streams and idle connections', async () => {
    const server = await httpServer(loopback, httpParts(new SimulatedRun(0)));
    const events = await fetch(`${server.url}/events`);
    await fetch(`${server.url}/v2/health/live`);
    const [text] = await Promise.all([events.text(), server.close()]);
    assert.match(text, /event: state/);
    await assert.rejects(fetch(`${server.url}/v2/health/live`));
  });
});
