import { PipelineError } from '../../errors.ts';
import { bottomOf, isRetriable, refusalOf } from './kafka-errors.ts';

/** Who wrote what, and for how long. */
export interface FailedTransaction {
  readonly brokers: string;
  /** The transactional id and the group. */
  readonly groupId: string;
  readonly from: string;
  /** The topics that are written to. */
  readonly topics: readonly string[];
  /** Since the transaction began, 0 where none did. */
  readonly elapsedMs: number;
  /** After so long the brokers end a transaction by themselves. */
  readonly timeoutMs: number;
}

/** What kafkajs calls final and yet passes: errors by their names, refusals of brokers by theirs. */
const passing: ReadonlySet<string | null> = new Set([
  // Its own time limits, and brokers that are elsewhere or away.
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
  'KafkaJSGroupCoordinatorNotFound',
  'BROKER_NOT_AVAILABLE',
  // A broker that failed in a way it did not expect.
  'UNKNOWN',
  // Credentials are waited for, as the source does: they are mended elsewhere.
  'KafkaJSSASLAuthenticationError',
  // States of the transactional id, or of what a broker knows of it, that whoever takes the id anew leaves behind.
  'CONCURRENT_TRANSACTIONS',
  'INVALID_TXN_STATE',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
]);

/**
 * What went wrong and what to do about it. Retriable where a new writer may do better; it is not where a broker refuses for
 * good and where another writer has taken the transactional id. What neither kafkajs nor a broker said is returned as it is.
 */
export function transactionError(error: unknown, failed: FailedTransaction): unknown {
  const bottom = bottomOf(error);
  if (error instanceof PipelineError || !(bottom instanceof Error) || !bottom.name.startsWith('KafkaJS')) return error;
  const refusal = refusalOf(error);
  const isTooSlow = refusal === 'INVALID_PRODUCER_EPOCH' && failed.elapsedMs >= failed.timeoutMs;
  const retriable = isRetriable(error) || passing.has(bottom.name) || passing.has(refusal) || isTooSlow;
  const advice = isTooSlow ? `. It took longer than ${failed.timeoutMs / 1000} s` : adviceOf(refusal, failed);
  const message = `cannot write to ${failed.topics.join(', ')} at ${failed.brokers}: ${bottom.message}${advice}`;
  return new PipelineError('source.unavailable', message, { retriable, cause: error });
}

function adviceOf(refusal: string | null, { groupId, from }: FailedTransaction): string {
  switch (refusal) {
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return `. Allow Write and Describe on the transactional id ${groupId}`;
    case 'GROUP_AUTHORIZATION_FAILED':
      return `. Allow Read on the group ${groupId}`;
    case 'TOPIC_AUTHORIZATION_FAILED':
      return `. Allow Read on ${from}, and Create, Write and Describe on what is written to`;
    case 'INVALID_PRODUCER_EPOCH':
      return `. Another pipeline writes as ${groupId} now: stop one of them, or give one another source.kafka.groupId`;
    default:
      return '';
  }
}
