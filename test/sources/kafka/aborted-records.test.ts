import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AbortedTransaction } from '../../../src/sources/record-batch/aborted-producers.ts';
import { hideAborted, type FetchedMessage } from '../../../src/sources/kafka/aborted-records.ts';

const abort = Buffer.from([0, 0, 0, 0]);
const commit = Buffer.from([0, 0, 0, 1]);

function message(offset: number, producer: number | null, more: Partial<FetchedMessage> = {}): FetchedMessage {
  return {
    offset: String(offset),
    key: null,
    isControlRecord: false,
    batchContext: { producerId: String(producer ?? -1), inTransaction: producer !== null },
    ...more,
  };
}

const marker = (offset: number, producer: number, key: Buffer): FetchedMessage =>
  message(offset, producer, { key, isControlRecord: true });

const shown = (messages: readonly FetchedMessage[]): number[] =>
  messages.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => Number(offset));

const from = (producerId: number, firstOffset: number): AbortedTransaction => ({ producerId, firstOffset });

test('without aborted transactions everything but control records is shown', () => {
  const messages = [message(0, null), message(1, 1), marker(2, 1, commit)];
  hideAborted(messages, []);
  assert.deepEqual(shown(messages), [0, 1]);
});

test('records of an aborted transaction are hidden up to its marker, those of others and outside it are shown', () => {
  const messages = [
    message(0, 1),
    marker(1, 1, commit),
    message(2, 1),
    message(3, null),
    message(4, 2),
    marker(5, 1, abort),
    message(6, 1),
    marker(7, 2, commit),
  ];
  hideAborted(messages, [from(1, 2)]);
  assert.deepEqual(shown(messages), [0, 3, 4, 6]);
});

test('a record whose key looks like an abort marker ends nothing', () => {
  const messages = [message(0, 1, { key: abort }), message(1, 1), marker(2, 1, abort)];
  hideAborted(messages, [from(1, 0)]);
  assert.deepEqual(shown(messages), []);
});

test('a fetch that begins within several aborted transactions, told in the order of their ends, hides all of them', () => {
  const messages = [message(5, 2), message(6, 1), marker(7, 2, abort), message(8, 1), marker(9, 1, abort)];
  hideAborted(messages, [from(2, 2), from(1, 1)]);
  assert.deepEqual(shown(messages), []);
});

test('records without a transaction and old message formats are shown whoever wrote them', () => {
  const messages = [
    message(0, 1),
    message(1, 1, { batchContext: { producerId: '1', inTransaction: false } }),
    { offset: '2', key: null, isControlRecord: false },
  ];
  hideAborted(messages, [from(1, 0)]);
  assert.deepEqual(shown(messages), [1, 2]);
});
