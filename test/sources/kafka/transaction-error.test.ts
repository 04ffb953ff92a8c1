import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { suite, test } from 'node:test';
import { PipelineError, SourceError } from '../../../src/errors.ts';
import { transactionError, type FailedTransaction } from '../../../src/sources/kafka/transaction-error.ts';

const require = createRequire(import.meta.url);
/** As kafkajs makes errors of the codes that brokers answer with. */
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  readonly createErrorFromCode: (code: number) => Error;
};
type ErrorClass<Details = never> = new (message: Error | string, details?: Details) => Error;
const errors = require('kafkajs/src/errors.js') as {
  readonly KafkaJSAggregateError: ErrorClass<readonly Error[]>;
  readonly KafkaJSNumberOfRetriesExceeded: ErrorClass<{ readonly retryCount: number; readonly retryTime: number }>;
  readonly KafkaJSNonRetriableError: ErrorClass<{ readonly cause: Error }>;
  readonly KafkaJSConnectionError: ErrorClass;
  readonly KafkaJSRequestTimeoutError: ErrorClass<Readonly<Record<string, never>>>;
  readonly KafkaJSGroupCoordinatorNotFound: ErrorClass;
};

const codes = {
  UNKNOWN: -1,
  NOT_COORDINATOR: 16,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  MESSAGE_TOO_LARGE: 10,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_PRODUCER_ID_MAPPING: 49,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
} as const;

function errorOf(error: unknown, over: Partial<FailedTransaction> = {}): unknown {
  const place = { brokers: 'kafka:9092', groupId: 'weather-predict', from: 'asked', topics: ['answers', 'letters'] };
  return transactionError(error, { ...place, elapsedMs: 50, timeoutMs: 20_000, ...over });
}

/** As kafkajs wraps what it does not try again. */
function wrapped(error: Error): Error {
  return new errors.KafkaJSNonRetriableError(error, { cause: error });
}

const retriesOver = (cause: Error): Error =>
  new errors.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 8, retryTime: 1 });
const passing: Readonly<Record<string, Error>> = {
  'a connection that broke': new errors.KafkaJSConnectionError('closed'),
  'a broker that is away after all tries': retriesOver(new errors.KafkaJSConnectionError('connect ECONNREFUSED')),
  'a request without an answer': wrapped(retriesOver(new errors.KafkaJSRequestTimeoutError('timed out', {}))),
  'a coordinator that moved': wrapped(createErrorFromCode(codes.NOT_COORDINATOR)),
  'a coordinator that is not found': new errors.KafkaJSGroupCoordinatorNotFound('no coordinator'),
  'a broker that fails': wrapped(createErrorFromCode(codes.UNKNOWN)),
  'a transaction before that still ends': createErrorFromCode(codes.CONCURRENT_TRANSACTIONS),
  'an id that the brokers forgot': wrapped(createErrorFromCode(codes.INVALID_PRODUCER_ID_MAPPING)),
  'a sequence that the brokers forgot': wrapped(createErrorFromCode(codes.OUT_OF_ORDER_SEQUENCE_NUMBER)),
};

const final: Readonly<Record<string, readonly [Error, RegExp]>> = {
  'a right to write as the id': [
    wrapped(createErrorFromCode(codes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)),
    /Allow Write and Describe on the transactional id weather-predict$/,
  ],
  'a right to the group': [
    createErrorFromCode(codes.GROUP_AUTHORIZATION_FAILED),
    /Allow Read on the group weather-predict$/,
  ],
  'a right to make a topic': [
    wrapped(new errors.KafkaJSAggregateError('Topic errors', [createErrorFromCode(codes.TOPIC_AUTHORIZATION_FAILED)])),
    /cannot write to answers, letters at kafka:9092: Not authorized to access topics.*Allow Read on asked, and Create/,
  ],
  'another writer with the id': [
    wrapped(createErrorFromCode(codes.INVALID_PRODUCER_EPOCH)),
    /Another pipeline writes as weather-predict now: stop one of them, or give one another source\.kafka\.groupId$/,
  ],
  'a record that is too large': [wrapped(createErrorFromCode(codes.MESSAGE_TOO_LARGE)), /larger than the max/],
};

suite('transactionError', () => {
  for (const [what, error] of Object.entries(passing)) {
    test(`${what} is tried again`, () => {
      const told = errorOf(error);
      assert.ok(told instanceof PipelineError);
      assert.deepEqual([told.code, told.retriable], ['source.unavailable', true]);
    });
  }

  for (const [what, [error, message]] of Object.entries(final)) {
    test(`${what} is not, and what to do is said`, () => {
      const told = errorOf(error);
      assert.ok(told instanceof PipelineError);
      assert.equal(told.retriable, false);
      assert.match(told.message, message);
    });
  }

  test('a transaction that the brokers ended after their time limit is tried again', () => {
    const told = errorOf(wrapped(createErrorFromCode(codes.INVALID_PRODUCER_EPOCH)), { elapsedMs: 20_001 });
    assert.ok(told instanceof PipelineError && told.retriable);
    assert.match(told.message, /It took longer than 20 s$/);
  });

  test('a mistake in the program stays what it is, also where kafkajs has wrapped it', () => {
    const mistake = new TypeError('cannot read properties of undefined');
    assert.equal(errorOf(mistake), mistake);
    const inKafkajs = wrapped(mistake);
    assert.equal(errorOf(inKafkajs), inKafkajs);
  });

  test('an error of ours stays what it is', () => {
    const missing = new SourceError('source.unavailable', 'no such topic', { retriable: true });
    assert.equal(errorOf(missing), missing);
  });
});
