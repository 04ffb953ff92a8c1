import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AnswerReader } from '../../../src/sources/kafka/answer-reader.ts';

const mebibyte = 1 << 20;

/** An answer of so many bytes behind its size. */
function answerOf(size: number): Buffer {
  const answer = Buffer.from(Array.from({ length: 4 + size }, (_, n) => n % 251));
  answer.writeInt32BE(size);
  return answer;
}

/** Feeds a reader as a socket does, with no more than `piece()` bytes at a time. */
function feed(bytes: Buffer, piece: () => number): readonly Buffer[] {
  const answers: Buffer[] = [];
  const reader = new AnswerReader((answer) => answers.push(answer));
  for (let at = 0; at < bytes.length;) {
    const room = reader.room();
    assert.ok(room.length > 0);
    const count = bytes.copy(room, 0, at, Math.min(bytes.length, at + piece()));
    reader.took(count);
    at += count;
  }
  return answers;
}

describe('AnswerReader', () => {
  it('gives each answer whole, however its bytes are cut', () => {
    const sizes = fc.array(fc.nat(300), { maxLength: 8 });
    const pieces = fc.infiniteStream(fc.integer({ min: 1, max: 400 }));
    fc.assert(
      fc.property(sizes, pieces, (given, cuts) => {
        const answers = given.map(answerOf);
        assert.deepEqual(
          feed(Buffer.concat(answers), () => cuts.next().value as number),
          answers,
        );
      }),
    );
  });

  it('keeps answers apart: a later one is not written over one that was given', () => {
    const [first, second] = feed(Buffer.concat([answerOf(10), answerOf(20)]), () => 7);
    assert.deepEqual([first, second], [answerOf(10), answerOf(20)]);
  });

  it('takes memory for a large answer as it arrives', () => {
    const size = 9 * mebibyte;
    const rooms: number[] = [];
    const answers: Buffer[] = [];
    const reader = new AnswerReader((answer) => answers.push(answer));
    const head = Buffer.alloc(4);
    head.writeInt32BE(size);
    head.copy(reader.room());
    reader.took(4);
    while (answers.length === 0) {
      const room = reader.room();
      rooms.push(room.length);
      room.fill(rooms.length);
      reader.took(room.length);
    }
    assert.deepEqual(rooms, [4 * mebibyte - 4, 4 * mebibyte, mebibyte + 4]);
    const [answer] = answers;
    assert.equal(answer?.length, size + 4);
    assert.deepEqual([answer[4], answer[5 * mebibyte], answer[size + 3]], [1, 2, 3]);
  });

  it('refuses a size that no broker sends', () => {
    assert.throws(() => feed(Buffer.from([0xff, 0xff, 0xff, 0xff]), () => 4), /not a Kafka broker/);
  });
});
