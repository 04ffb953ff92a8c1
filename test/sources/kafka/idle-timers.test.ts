import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test, type TestContext } from 'node:test';
import '../../../src/sources/kafka/kafkajs.ts';

interface RequestQueue {
  readonly pending: readonly unknown[];
  push(request: unknown): void;
  fulfillRequest(answer: { readonly correlationId: number; readonly payload: Buffer; readonly size: number }): void;
  maybeThrottle(ms: number): void;
}

const require = createRequire(import.meta.url);
const RequestQueueOfKafkajs = require('kafkajs/src/network/requestQueue/index.js') as new (
  options: Readonly<Record<string, unknown>>,
) => RequestQueue;

function makeQueue(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
  const delays: number[] = [];
  const { setTimeout: mocked } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (call: () => void, ms: number) => {
    delays.push(ms);
    return mocked(call, ms);
  });
  const logger = { debug: () => undefined, warn: () => undefined };
  const options = { maxInFlightRequests: 1, requestTimeout: 5000, enforceRequestTimeout: false, clientId: 'test' };
  const queue = new RequestQueueOfKafkajs({ ...options, broker: 'kafka:9092', logger });
  const sent: number[] = [];
  const push = (correlationId: number): void => {
    const entry = { correlationId, resolve: () => undefined, reject: () => undefined };
    queue.push({ entry, expectResponse: true, sendRequest: () => sent.push(correlationId) });
  };
  const answer = (correlationId: number): void => {
    queue.fulfillRequest({ correlationId, payload: Buffer.alloc(0), size: 0 });
  };
  return { queue, sent, push, answer, delays };
}

test('a queue in which nothing waits sets no timer', (t) => {
  const { sent, push, answer, delays } = makeQueue(t);
  push(1);
  answer(1);
  assert.deepEqual([sent, delays], [[1], []]);
});

test('a request that waits for a free place is sent when there is one', (t) => {
  const { sent, push, answer, delays } = makeQueue(t);
  push(1);
  push(2);
  assert.deepEqual(sent, [1]);
  answer(1);
  assert.deepEqual(sent, [1, 2]);
  answer(2);
  t.mock.timers.tick(10_000);
  assert.ok(
    delays.every((ms) => ms > 0),
    `timers of ${delays.join(', ')} ms`,
  );
});

test('a request that waits for the end of throttling is sent then, without another request or answer', (t) => {
  const { queue, sent, push } = makeQueue(t);
  queue.maybeThrottle(300);
  push(1);
  t.mock.timers.tick(299);
  assert.deepEqual(sent, []);
  t.mock.timers.tick(11);
  assert.deepEqual([sent, queue.pending], [[1], []]);
});
