import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideAborted, type FetchedMessage } from '../../../src/sources/kafka/aborted-records.ts';

const abort = Buffer.from([0, 0, 0, 0]);
const commit = Buffer.from([0, 0, 0, 1]);

function message(offset: number, producer: string | null, more: Partial<FetchedMessage> = {}): FetchedMessage {
  return {
    offset: String(offset),
    key: null,
    isControlRecord: false,
    batchContext: { producerId: producer ?? '-1', inTransaction: producer !== null },
    ...more,
  };
}

const marker = (offset: number, producer: string, key: Buffer): FetchedMessage =>
  message(offset, producer, { key, isControlRecord: true });

const shown = (messages: readonly FetchedMessage[]): number[] =>
  messages.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => Number(offset));

const from = (producerId: string, firstOffset: number): { producerId: string; firstOffset: string } => ({
  producerId,
  firstOffset: String(firstOffset),
});

test('without aborted transactions everything but control records is shown', () => {
  const messages = [message(0, null), message(1, 'a'), marker(2, 'a', commit)];
  hideAborted(messages, []);
  assert.deepEqual(shown(messages), [0, 1]);
});

test('records of an aborted transaction are hidden up to its marker, those of others and outside it are shown', () => {
  const messages = [
    message(0, 'a'),
    marker(1, 'a', commit),
    message(2, 'a'),
    message(3, null),
    message(4, 'b'),
    marker(5, 'a', abort),
    message(6, 'a'),
    marker(7, 'b', commit),
  ];
  hideAborted(messages, [from('a', 2)]);
  assert.deepEqual(shown(messages), [0, 3, 4, 6]);
});

test('a record whose key looks like an abort marker ends nothing', () => {
  const messages = [message(0, 'a', { key: abort }), message(1, 'a'), marker(2, 'a', abort)];
  hideAborted(messages, [from('a', 0)]);
  assert.deepEqual(shown(messages), []);
});

test('a fetch that begins within several aborted transactions, told in the order of their ends, hides all of them', () => {
  const messages = [message(5, 'b'), message(6, 'a'), marker(7, 'b', abort), message(8, 'a'), marker(9, 'a', abort)];
  hideAborted(messages, [from('b', 2), from('a', 1)]);
  assert.deepEqual(shown(messages), []);
});

test('records without a transaction and old message formats are shown whoever wrote them', () => {
  const messages = [
    message(0, 'a'),
    message(1, 'a', { batchContext: { producerId: 'a', inTransaction: false } }),
    { offset: '2', key: null, isControlRecord: false },
  ];
  hideAborted(messages, [from('a', 0)]);
  assert.deepEqual(shown(messages), [1, 2]);
});
