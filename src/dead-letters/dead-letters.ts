import type { RecordHeader, RejectReason } from '../records.ts';

/** A record that cannot be used, with all that is known of it. */
export interface DeadLetter {
  readonly reason: RejectReason;
  /** What exactly was wrong, for people. */
  readonly detail: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  /** For a row that the trainer refused: JSON of what the ring carried of it. */
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** Where bad records go. At least once: after a crash a topic may hold a letter twice, told apart by its source position. */
export interface DeadLetters {
  write(letter: DeadLetter): void;
  /** Resolves when every letter written so far is durable. @throws PipelineError 'deadLetter.failed' */
  flush(): Promise<void>;
  /** Length that a checkpoint counts, null where the letters go to a topic. */
  readonly durableBytes: number | null;
  close(): Promise<void>;
}
