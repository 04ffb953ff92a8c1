import type { DeadLetter, DeadLetters } from '../../dead-letters/dead-letters.ts';
import type { OnReject } from '../../operators/decode.ts';
import type { PipelineStates } from '../../pipeline.ts';
import type { RejectedRow } from '../../records.ts';
import type { StatusBoard } from '../../serving/status-board.ts';
import { letterOf } from './letter-of.ts';
import type { LetterPreview } from './letter-preview.ts';

/**
 * Turns rejected records and rows into dead letters, and shows them. Decoding runs ahead of learning: a letter from behind a
 * barrier waits until the checkpoint of that barrier is saved, so that a checkpoint counts the letters before it alone.
 * What waits comes from blocks that the source's credit bounds.
 */
export interface LetterBox {
  readonly letters: DeadLetters;
  readonly onReject: OnReject;
  /** A barrier has passed `onReject`. */
  hold(): void;
  /** The checkpoint of the oldest such barrier is saved. */
  release(): void;
  /** A row that the trainer refused: its bytes are gone, so the letter holds what the ring carried. */
  refuse(row: RejectedRow, states: Pick<PipelineStates, 'decode' | 'derive'>): void;
  close(): Promise<void>;
}

export function letterBox(
  letters: DeadLetters,
  board: Pick<StatusBoard, 'noteDeadLetter'>,
  preview: LetterPreview,
): LetterBox {
  /** Letters behind each barrier whose checkpoint is not saved, oldest barrier first. */
  const held: DeadLetter[][] = [];
  return {
    letters,
    onReject: (block, recordIndex, reason, detail) => {
      const letter = letterOf(block, recordIndex, reason, detail);
      const waiting = held.at(-1);
      if (waiting === undefined) letters.write(letter);
      else waiting.push(letter);
      board.noteDeadLetter({ ...letter, describe: () => preview.record(block, recordIndex, detail) });
    },
    hold: () => {
      held.push([]);
    },
    release: () => {
      for (const letter of held.shift() ?? []) letters.write(letter);
    },
    refuse: (row, { decode, derive }) => {
      const { topic, partition } = decode.origins.origin(row.originId);
      const { offset, timestampMs, timeMs, target, features } = row;
      const key = derive.keys.keyOf(row.keyId);
      const letter: DeadLetter = {
        reason: 'training.nonFinite',
        detail: 'the loss or the gradient of this row is not finite; value holds the row as the trainer saw it',
        topic,
        partition,
        offset,
        timestampMs,
        key: key === null ? null : Buffer.from(key),
        value: Buffer.from(JSON.stringify({ time: timeMs, key, target, features })),
        headers: [],
      };
      letters.write(letter);
      board.noteDeadLetter({ ...letter, describe: () => preview.row(row, key) });
    },
    close: () => letters.close(),
  };
}
