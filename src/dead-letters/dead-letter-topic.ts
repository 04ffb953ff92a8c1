import { PipelineError, messageOf } from '../errors.ts';
import type { RecordHeader } from '../records.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';

/** What writes records to a topic; the Kafka writer fits. */
export interface RecordWriter {
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface OutgoingRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestampMs: number;
}

/** Letters sent at once at the most, and kept back at the most while one send is under way. */
const lettersPerSend = 1000;

/** Dead letters as records of a topic: key, value and headers kept, the source position and reason in `millrace.error.*` headers. */
export function deadLetterTopic(topic: string, writer: RecordWriter): DeadLetters {
  let waiting: OutgoingRecord[] = [];
  let sending: Promise<void> = Promise.resolve();
  let failure: unknown = null;

  function send(): Promise<void> {
    const records = waiting;
    waiting = [];
    if (records.length > 0) {
      sending = sending
        .then(() => writer.send(records))
        .catch((error: unknown) => {
          failure ??= error;
        });
    }
    return sending;
  }

  return {
    write: (letter) => {
      waiting.push(letterRecord(letter));
      if (waiting.length >= lettersPerSend) void send();
    },
    flush: async () => {
      await send();
      if (failure === null) return;
      throw new PipelineError(
        'deadLetter.failed',
        `deadLetter.topic ${topic}: cannot write (${messageOf(failure)}). Make the topic writable, then start again; nothing is lost.`,
        { cause: failure },
      );
    },
    durableBytes: null,
    close: async () => {
      await send();
      await writer.close();
    },
  };
}

/** A dead letter as a record of a topic. */
export function letterRecord(letter: DeadLetter): OutgoingRecord {
  const text = (key: string, value: string): RecordHeader => ({
    key: `millrace.error.${key}`,
    value: Buffer.from(value),
  });
  return {
    key: letter.key === null ? null : Buffer.from(letter.key),
    value: letter.value === null ? null : Buffer.from(letter.value),
    headers: [
      ...letter.headers,
      text('code', letter.reason),
      text('detail', letter.detail),
      text('topic', letter.topic),
      text('partition', String(letter.partition)),
      text('offset', String(letter.offset)),
      text('timestamp', String(letter.timestampMs)),
    ],
    timestampMs: Date.now(),
  };
}
