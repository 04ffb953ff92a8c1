import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { httpExchange } from '../../src/codecs/http-exchange.ts';

/** Signed by itself for 127.0.0.1, valid for a hundred years, worth nothing. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBmDCCAT6gAwIBAgIUGHVuDPtDJMN/jz+Tt3ShcCsHTBswCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNbWlsbHJhY2UgdGVzdDAgFw0yNjExMjQxNjAyMzdaGA8yMTI2
MTAzMTE2MDIzN1owGDEWMBQGA1UEAwwNbWlsbHJhY2UgdGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABFjgnLVjrDPjQSrHXkbzGkBRhAcb3bvZG41Wg/NnafdT
RTS4thpAkkFZxyy23kevNmUu036TJqJ92eVPajeWCn6jZDBiMB0GA1UdDgQWBBTl
lbe+xpJI7wGXpo0jrwgpa0dO4DAfBgNVHSMEGDAWgBTllbe+xpJI7wGXpo0jrwgp
a0dO4DAPBgNVHRMBAf8EBTADAQH/MA8GA1UdEQQIMAaHBH8AAAEwCgYIKoZIzj0E
AwIDSAAwRQIgWerpqloTB3o+eF5nh2t8DdV3/iOcYoribG027h12BIQCIQCzMOkz
8Qxy4u6r0wpibj7ISw5Fh0FdRT8EDGpxGFozuQ==
-----END CERTIFICATE-----`;
const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5nm81jIvVQHbzeIk
3ZCQ58p+Ey/aMZWZplm5z84JNw6hRANCAARY4Jy1Y6wz40Eqx15G8xpAUYQHG927
2RuNVoPzZ2n3U0U0uLYaQJJBWccstt5HrzZlLtN+kyaifdnlT2o3lgp+
-----END PRIVATE KEY-----`;

test('a server is trusted by the authority given, and without it by nobody', async (context) => {
  const server = createServer({ cert: certificate, key: privateKey }, (_, response) => response.end('secret'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const exchange = {
    method: 'GET' as const,
    url: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    headers: {},
    timeoutMs: 5000,
    maxResponseBytes: 100,
    signal: new AbortController().signal,
  };
  assert.deepEqual(await httpExchange({ ...exchange, ca: certificate }), { status: 200, text: 'secret' });
  await assert.rejects(httpExchange(exchange), /self-signed/);
});
