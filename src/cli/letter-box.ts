import type { DeadLetter, DeadLetters } from '../dead-letters/dead-letters.ts';
import type { OnReject } from '../operators/decode.ts';
import type { PipelineStates } from '../pipeline.ts';
import type { RecordBlock, RejectedRow } from '../records.ts';
import type { StatusBoard } from '../serving/status-board.ts';

/** Turns rejected records and rows into dead letters, and shows them. */
export interface LetterBox {
  readonly letters: DeadLetters;
  readonly onReject: OnReject;
  /** A row that the trainer refused: its bytes are gone, so the letter holds what the ring carried. */
  refuse(row: RejectedRow, states: Pick<PipelineStates, 'decode' | 'derive'>): void;
  close(): Promise<void>;
}

export function letterBox(letters: DeadLetters, board: Pick<StatusBoard, 'noteDeadLetter'>): LetterBox {
  const send = (letter: DeadLetter): void => {
    letters.write(letter);
    board.noteDeadLetter(letter);
  };
  return {
    letters,
    onReject: (block, recordIndex, reason, detail) => {
      const { topic, partition } = block;
      send({
        reason,
        detail,
        topic,
        partition,
        offset: block.offsets[recordIndex]!,
        timestampMs: block.timestampsMs[recordIndex]!,
        key: slice(block, block.keyStarts[recordIndex]!, block.keyLengths[recordIndex]!),
        value: slice(block, block.valueStarts[recordIndex]!, block.valueLengths[recordIndex]!),
        headers: block.headers(recordIndex),
      });
    },
    refuse: (row, { decode, derive }) => {
      const { topic, partition } = decode.origins.origin(row.originId);
      const { offset, timestampMs, timeMs, target, features } = row;
      const key = derive.keys.keyOf(row.keyId);
      send({
        reason: 'training.nonFinite',
        detail: 'the loss or the gradient of this row is not finite; value holds the row as the trainer saw it',
        topic,
        partition,
        offset,
        timestampMs,
        key: key === null ? null : Buffer.from(key),
        value: Buffer.from(JSON.stringify({ time: timeMs, key, target, features })),
        headers: [],
      });
    },
    close: () => letters.close(),
  };
}

function slice(block: RecordBlock, start: number, length: number): Buffer | null {
  return length < 0 ? null : block.bytes.subarray(start, start + length);
}
