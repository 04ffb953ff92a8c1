import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SchemaRegistryOptions } from '../../src/codecs/schema-registry.ts';
import { SchemaRegistry } from '../../src/codecs/schema-registry.ts';
import { DecodeError } from '../../src/errors.ts';
import type { Reply } from './fake-registry.ts';
import { fakeRegistry } from './fake-registry.ts';

const schema = '{"type":"record","name":"R","fields":[]}';
const found: Reply = { status: 200, body: JSON.stringify({ schema }) };
const notFound: Reply = { status: 404, body: '{"error_code":40403,"message":"Schema 9 not found"}' };
const { signal } = new AbortController();

/** A registry client that pauses 1 to 2 ms, and the retries it tells of. */
function client(
  url: string,
  options: Partial<SchemaRegistryOptions> = {},
): { registry: SchemaRegistry; retries: string[] } {
  const retries: string[] = [];
  const registry = new SchemaRegistry({
    url,
    patienceMs: null,
    retryMs: { first: 1, longest: 2 },
    telemetry: {
      emit: (event) => {
        if (event.type === 'registryRetried') retries.push(event.message);
      },
    },
    ...options,
  });
  return { registry, retries };
}

/** Replies one after the other, the last one for ever. */
function script(...replies: readonly Reply[]): () => Reply {
  let next = 0;
  return () => replies[Math.min(next++, replies.length - 1)]!;
}

test('a schema is asked for by id, below whatever path the URL has', async () => {
  await using server = await fakeRegistry(() => found);
  assert.equal(await client(server.url).registry.schema(7, signal), schema);
  assert.equal(await client(`${server.url}/apis/ccompat/v7/`).registry.schema(7, signal), schema);
  assert.deepEqual(server.requests, ['GET /schemas/ids/7', 'GET /apis/ccompat/v7/schemas/ids/7']);
  assert.deepEqual(server.authorizations, [undefined, undefined]);
});

test('credentials go along as basic authentication', async () => {
  await using server = await fakeRegistry(() => found);
  await client(server.url, { username: 'mill', password: 'räce' }).registry.schema(7, signal);
  const expected = `Basic ${Buffer.from('mill:räce').toString('base64')}`;
  assert.deepEqual(server.authorizations, [expected]);
});

test('an id that the registry does not know is null, and an impossible one is not asked for', async () => {
  await using server = await fakeRegistry(() => notFound);
  const { registry, retries } = client(server.url);
  assert.equal(await registry.schema(9, signal), null);
  assert.equal(await registry.schema(0, signal), null);
  assert.equal(await registry.schema(-1, signal), null);
  assert.deepEqual(server.requests, ['GET /schemas/ids/9']);
  assert.deepEqual(retries, []);
});

test('the same id is asked for once at a time', async () => {
  await using server = await fakeRegistry(() => found);
  const { registry } = client(server.url);
  const both = await Promise.all([registry.schema(7, signal), registry.schema(7, signal), registry.schema(8, signal)]);
  assert.deepEqual(both, [schema, schema, schema]);
  assert.deepEqual([...server.requests].sort(), ['GET /schemas/ids/7', 'GET /schemas/ids/8']);
});

test('whatever is no answer for good is asked again until there is one', async () => {
  const troubles: readonly Reply[] = [
    { status: 500, body: 'oops' },
    { status: 503, body: '' },
    { status: 429, body: '{"error_code":429}' },
    { status: 401, body: 'who?' },
    { status: 404, body: '<html>no such page</html>' },
    { status: 404, body: '{"error_code":404,"message":"HTTP 404 Not Found"}' },
    { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } },
    { status: 200, body: '{"schema":7}' },
    { status: 200, body: 'null' },
    'cut',
  ];
  await using server = await fakeRegistry(script(...troubles, found));
  const { registry, retries } = client(server.url);
  assert.equal(await registry.schema(7, signal), schema);
  assert.equal(server.requests.length, troubles.length + 1);
  assert.equal(retries.length, troubles.length);
  assert.match(retries[0] ?? '', /does not serve .*schemas\/ids\/7: HTTP 500 oops/);
});

test('an answer that does not come is given up and asked for again', async () => {
  await using server = await fakeRegistry(script('hang', found));
  const { registry, retries } = client(server.url, { timeoutMs: 50 });
  // On a busy machine a good answer may be late too, and is then asked for again.
  assert.equal(await registry.schema(7, signal), schema);
  assert.match(retries[0] ?? '', /no answer within 50 ms/);
});

test('an answer that does not end is given up and asked for again', async () => {
  await using server = await fakeRegistry(script({ status: 200, body: 'x'.repeat(5000) }, found));
  const { registry, retries } = client(server.url, { maxResponseBytes: 1000 });
  assert.equal(await registry.schema(7, signal), schema);
  assert.match(retries[0] ?? '', /more than 1000 bytes/);
});

test('patience that is limited ends with an error that may be retried', async () => {
  const { registry } = client('http://127.0.0.1:9', { patienceMs: 20, timeoutMs: 1000 });
  await assert.rejects(registry.schema(7, signal), (error) => {
    assert.ok(error instanceof DecodeError && error.code === 'registry.unavailable' && error.retriable);
    return true;
  });
});

test('an abort ends the waiting', async () => {
  const abort = new AbortController();
  await using server = await fakeRegistry(() => {
    abort.abort();
    return 'hang';
  });
  await assert.rejects(client(server.url).registry.schema(7, abort.signal));
  const { registry } = client('http://127.0.0.1:9', { retryMs: { first: 1e6, longest: 1e6 } });
  const later = new AbortController();
  const waiting = registry.schema(7, later.signal);
  setImmediate(() => {
    later.abort();
  });
  await assert.rejects(waiting);
});

test('a schema is registered under a subject, whatever its name', async () => {
  const bodies: string[] = [];
  await using server = await fakeRegistry((_, body) => {
    bodies.push(body);
    return { status: 200, body: '{"id":12}' };
  });
  assert.equal(await client(server.url).registry.register('plant/a-value', schema, signal), 12);
  assert.deepEqual(server.requests, ['POST /subjects/plant%2Fa-value/versions']);
  assert.deepEqual(bodies, [JSON.stringify({ schema })]);
});

test('a schema that the registry refuses is not offered twice', async () => {
  for (const status of [409, 422]) {
    await using server = await fakeRegistry(() => ({ status, body: '{"message":"incompatible"}' }));
    await assert.rejects(client(server.url).registry.register('x', schema, signal), /refuses the schema.*incompatible/);
    assert.equal(server.requests.length, 1);
  }
});

test('the newest schema of a subject comes with its id; an unknown subject is null', async () => {
  await using server = await fakeRegistry(
    script(
      { status: 200, body: JSON.stringify({ subject: 'x', version: 2, id: 12, schema }) },
      { status: 404, body: '{"error_code":40401,"message":"Subject not found"}' },
    ),
  );
  const { registry } = client(server.url);
  assert.deepEqual(await registry.latest('x', signal), { id: 12, schemaText: schema });
  assert.equal(await registry.latest('y', signal), null);
});
