/**
 * The least that any server on this runtime does for a request: node:http reads the body and parses it, and the answer is
 * always the same. Prints its port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const answer = JSON.stringify({
  prediction: 12.345678901234567,
  modelVersion: 'checkpoint-000000000001',
  step: 40_000,
  trainedThrough: { time: '2026-01-01T00:00:00.000Z', positions: { 'readings:0': 10_000_000 } },
});
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': answer.length };

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => (body += part));
  request.on('end', () => {
    JSON.parse(body);
    response.writeHead(200, headers).end(answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
