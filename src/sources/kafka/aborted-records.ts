/** What the filter reads of a fetched record; control records end transactions. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  /** Set on records that must not be shown. */
  isControlRecord: boolean;
  /** Absent in message formats before transactions. */
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

/** A transaction that ends in an abort within or behind the fetched offsets. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/**
 * Hides the records of aborted transactions by marking them as control records, so that they still count as read.
 * As in Kafka's own consumer: a producer's records are aborted from the transaction's first offset up to its abort marker.
 * @param messages of one partition's fetch, control records included, in offset order.
 */
export function hideAborted(messages: readonly FetchedMessage[], transactions: readonly AbortedTransaction[]): void {
  if (transactions.length === 0) return;
  const ahead = transactions
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((a, b) => b.firstOffset - a.firstOffset);
  const aborted = new Set<string>();
  for (const message of messages) {
    const offset = Number(message.offset);
    for (let next = ahead.at(-1); next !== undefined && next.firstOffset <= offset; next = ahead.at(-1)) {
      aborted.add(next.producerId);
      ahead.pop();
    }
    const context = message.batchContext;
    if (context?.inTransaction !== true || !aborted.has(context.producerId)) continue;
    if (message.isControlRecord) {
      if (isAbortMarker(message.key)) aborted.delete(context.producerId);
    } else {
      message.isControlRecord = true;
    }
  }
}

/** Key of a control record: int16 version, int16 type, of which 0 is abort. */
function isAbortMarker(key: Buffer | null): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
}
