import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { letterBox } from '../../../src/service/letters/letter-box.ts';
import { LetterPreview } from '../../../src/service/letters/letter-preview.ts';
import type { DeadLetter, DeadLetters } from '../../../src/dead-letters/dead-letters.ts';
import type { DeadLetterNote } from '../../../src/serving/status-board.ts';
import { markBlock, type RecordBlock } from '../../../src/records.ts';

/** Dead letters kept in memory. */
function memoryLetters(): DeadLetters & { readonly written: DeadLetter[] } {
  const written: DeadLetter[] = [];
  return {
    written,
    write: (letter) => void written.push(letter),
    flush: () => Promise.resolve(),
    durableBytes: 0,
    close: () => Promise.resolve(),
  };
}

/** A block of one record with a key, no value, at an offset. */
function blockAt(offset: number): RecordBlock {
  return {
    ...markBlock({}),
    topic: 't',
    partition: 3,
    recordCount: 1,
    bytes: Buffer.from('key'),
    valueStarts: Int32Array.of(0),
    valueLengths: Int32Array.of(-1),
    keyStarts: Int32Array.of(0),
    keyLengths: Int32Array.of(3),
    offsets: Float64Array.of(offset),
    timestampsMs: Float64Array.of(1000 + offset),
  };
}

describe('letterBox', () => {
  test('writes what a record was and why it was rejected, and shows it', () => {
    const letters = memoryLetters();
    const shown: DeadLetterNote[] = [];
    const board = { noteDeadLetter: (note: DeadLetterNote) => void shown.push(note) };
    const box = letterBox(letters, board, new LetterPreview(new Set()));
    box.onReject(blockAt(7), 0, 'value.null', 'no value');
    const place = { topic: 't', partition: 3, offset: 7, timestampMs: 1007 };
    const expected = { reason: 'value.null', detail: 'no value', ...place, value: null, headers: [] };
    assert.deepEqual(letters.written, [{ ...expected, key: Buffer.from('key') }]);
    assert.deepEqual(
      shown.map((note) => note.describe()),
      [{ preview: 'null', detail: 'no value' }],
    );
  });

  test('keeps letters from behind a barrier until its checkpoint is saved, barrier by barrier', () => {
    const letters = memoryLetters();
    const box = letterBox(letters, { noteDeadLetter: () => undefined }, new LetterPreview(new Set()));
    const written = (): number[] => letters.written.map(({ offset }) => offset);
    const reject = (offset: number): void => {
      box.onReject(blockAt(offset), 0, 'value.null', '');
    };
    reject(0);
    box.hold();
    reject(1);
    box.hold();
    reject(2);
    assert.deepEqual(written(), [0]);
    box.release();
    assert.deepEqual(written(), [0, 1]);
    reject(3);
    assert.deepEqual(written(), [0, 1]);
    box.release();
    assert.deepEqual(written(), [0, 1, 2, 3]);
    reject(4);
    assert.deepEqual(written(), [0, 1, 2, 3, 4]);
  });
});
