import { AbortedProducers, type AbortedTransaction } from '../record-batch/aborted-producers.ts';

/** What the filter reads of a record that kafkajs decoded; control records end transactions. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  /** Set on records that must not be shown. */
  isControlRecord: boolean;
  /** Absent in message formats before transactions. */
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

/**
 * Hides the records of aborted transactions by marking them as control records, so that they still count as read.
 * @param messages of one partition's fetch, control records included, in offset order.
 */
export function hideAborted(messages: readonly FetchedMessage[], transactions: readonly AbortedTransaction[]): void {
  if (transactions.length === 0) return;
  const aborted = new AbortedProducers(transactions);
  for (const message of messages) {
    aborted.reach(Number(message.offset));
    const context = message.batchContext;
    const producerId = Number(context?.producerId);
    if (context?.inTransaction !== true || !aborted.has(producerId)) continue;
    if (!message.isControlRecord) message.isControlRecord = true;
    else if (isAbortMarker(message.key)) aborted.end(producerId);
  }
}

/** Key of a control record: int16 version, int16 type, of which 0 is abort. */
function isAbortMarker(key: Buffer | null): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
}
