import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { guardState } from '../../src/serving/state-guard.ts';

/** The status of each request of a server with a route that changes something and one that only reads. */
async function statuses(host: string, token: string | null, authorization?: string): Promise<readonly number[]> {
  const app = fastify();
  guardState(app, { host, token });
  app.post('/change', () => 'changed');
  app.post('/ask', { config: { isReading: true } }, () => 'answered');
  app.get('/look', () => 'seen');
  const headers = authorization === undefined ? {} : { authorization };
  const asked = [
    { method: 'POST', url: '/change' },
    { method: 'POST', url: '/ask' },
    { method: 'GET', url: '/look' },
    { method: 'POST', url: '/nothing' },
  ] as const;
  const answers = await Promise.all(asked.map((each) => app.inject({ ...each, headers })));
  await app.close();
  return answers.map(({ statusCode }) => statusCode);
}

test('on loopback everybody may change what there is, unless there is a token', async () => {
  for (const host of ['127.0.0.1', '::1', 'localhost', '127.8.0.1']) {
    assert.deepEqual(await statuses(host, null), [200, 200, 200, 404], host);
    assert.deepEqual(await statuses(host, 'secret'), [401, 200, 200, 404], host);
  }
});

test('elsewhere nobody may change anything without the token', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'localhost.example']) {
    assert.deepEqual(await statuses(host, null, 'Bearer '), [403, 200, 200, 404], host);
    assert.deepEqual(await statuses(host, 'secret', 'Bearer secret'), [200, 200, 200, 404], host);
  }
  for (const wrong of [
    undefined,
    'secret',
    'Basic secret',
    'Bearer',
    'Bearer secre',
    'Bearer secrets',
    'bearer secret',
  ]) {
    assert.deepEqual(await statuses('0.0.0.0', 'secret', wrong), [401, 200, 200, 404], wrong);
  }
});
