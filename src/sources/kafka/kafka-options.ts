import type { Position } from '../../records.ts';
import type { Credit } from '../credit.ts';
import type { OutOfRange, Start } from '../source.ts';
import type { KafkaConnection } from './kafka-connection.ts';

/** Which cluster and topics, from where, and how long to be patient. */
export interface KafkaSourceOptions extends KafkaConnection {
  readonly topics: readonly string[];
  /** For this pipeline alone: lag tools find its offsets there, and a second member would take partitions away. */
  readonly groupId: string;
  /** Where partitions begin that no checkpoint knows; one that is added later begins with its first record. */
  readonly start: Start;
  readonly onOutOfRange: OutOfRange;
  /** From the checkpoint. */
  readonly positions: readonly Position[];
  /** Reads up to the read-committed ends that partitions have at the start, then completes. */
  readonly isBounded: boolean;
  /** How long a bounded reading waits for brokers or topics that are not there; one that follows waits for ever. */
  readonly connectTimeoutMs: number;
  /** Bytes of blocks that may be unreleased; a fetch takes up to half of that on top. */
  readonly credit: Credit;
  readonly timings?: Partial<KafkaTimings>;
}

/** Rhythms that only tests and unusual networks change. */
export interface KafkaTimings {
  /** Between looks at the ends of partitions, and between messages while brokers cannot be reached. */
  readonly pollMs: number;
  /** Without progress for this long, with records to read and credit to read them, the consumer is replaced. */
  readonly stallMs: number;
  /** For leaving the group and ending connections. */
  readonly closeMs: number;
}

export const defaultTimings: KafkaTimings = { pollMs: 5000, stallMs: 30_000, closeMs: 3000 };
