import { decodeRecords } from '../record-batch/record-columns.ts';
import { transactionEnd } from '../record-batch/control-record.ts';
import type { FoundBatch } from '../record-batch/found-batch.ts';
import type { PartitionCursor } from './partition-cursor.ts';

interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Offset of the mark that ends it. */
  readonly markOffset: number;
}

/**
 * Runs ahead of a reader over headers alone and knows how far the log is decided (Kafka's last stable offset: every
 * transaction below it has ended) and which transactions below it were aborted. So a reader need not hold the
 * records of a transaction until it ends.
 */
export class TransactionScan {
  readonly #cursor: PartitionCursor;
  readonly #firstOffsets = new Map<number, number>();
  #aborted: AbortedTransaction[] = [];

  constructor(cursor: PartitionCursor) {
    this.#cursor = cursor;
  }

  /** First offset that the scan has not seen. */
  get seenOffset(): number {
    return this.#cursor.nextOffset;
  }

  /** First offset that must not be read yet. */
  get stableOffset(): number {
    // Transactions that began first come first in the map.
    for (const firstOffset of this.#firstOffsets.values()) return firstOffset;
    return this.#cursor.nextOffset;
  }

  /**
   * Goes on by about `maxBytes` of log, so that a long one does not block the event loop.
   * @returns true at the log's end.
   * @throws SourceError as the cursor does.
   */
  advance(maxBytes: number): boolean {
    for (let bytes = 0; bytes < maxBytes;) {
      const found = this.#cursor.next();
      if (found === null) return !this.#cursor.isSettling;
      this.#see(found);
      bytes += found.header.sizeBytes;
    }
    return false;
  }

  isAborted(producerId: number, offset: number): boolean {
    return this.#aborted.some(
      (entry) => entry.producerId === producerId && entry.firstOffset <= offset && offset < entry.markOffset,
    );
  }

  /** Drops what only concerns offsets below `offset`. */
  forget(offset: number): void {
    if (this.#aborted.length > 0) this.#aborted = this.#aborted.filter((entry) => entry.markOffset >= offset);
  }

  close(): void {
    this.#cursor.close();
  }

  #see({ header, bytes, start }: FoundBatch): void {
    if (header.isControl) {
      const end = transactionEnd(decodeRecords(bytes, start, header));
      const firstOffset = this.#firstOffsets.get(header.producerId);
      if (end === null || firstOffset === undefined) return;
      this.#firstOffsets.delete(header.producerId);
      if (end === 'abort') {
        this.#aborted.push({ producerId: header.producerId, firstOffset, markOffset: header.baseOffset });
      }
    } else if (header.isTransactional && !this.#firstOffsets.has(header.producerId)) {
      this.#firstOffsets.set(header.producerId, header.baseOffset);
    }
  }
}
