import type { BatchHeader } from '../record-batch/batch-header.ts';
import { decodeRecords, type RecordColumns } from '../record-batch/record-columns.ts';
import { headerCursor } from './log-range.ts';
import { PartitionCursor } from './partition-cursor.ts';
import { isBrokerDirectory, partitionDirectory } from './partition-directory.ts';
import type { FoundBatch } from '../record-batch/found-batch.ts';
import { TransactionScan } from './transaction-scan.ts';

export interface PartitionReaderOptions {
  readonly dir: string;
  readonly topic: string;
  readonly partition: number;
  /** Where reading begins; not below the log's start. */
  readonly nextOffset: number;
  /** Epoch that goes with it, -1 where unknown. */
  readonly epoch: number;
}

/** How long a bad batch at the tail may take to become a good one. */
const settleMs = 1000;
const windowBytes = 1 << 20;
/** Log that is scanned ahead in one turn, so that a long history does not block the event loop. */
const scanBytes = 16 << 20;

/**
 * Reads one partition's committed records, batch by batch, from an embedded log or a broker's directory: what was
 * aborted and the marks of transactions are passed over, and nothing behind an open transaction is shown.
 */
export class PartitionReader {
  readonly partition: number;
  readonly #cursor: PartitionCursor;
  readonly #scan: TransactionScan;
  #nextOffset: number;
  #epoch: number;
  #head: FoundBatch | null = null;
  #isScanDue = true;
  #fixedEnd: number | null = null;
  readonly #unsyncedFiles = new Set<string>();

  constructor(options: PartitionReaderOptions) {
    const { dir, topic, partition, nextOffset } = options;
    this.partition = partition;
    this.#nextOffset = nextOffset;
    this.#epoch = options.epoch;
    this.#scan = new TransactionScan(headerCursor(dir, topic, partition, nextOffset, settleMs));
    this.#cursor = new PartitionCursor(nextOffset, {
      directory: partitionDirectory(dir, topic, partition),
      windowBytes,
      isHeadersOnly: false,
      mayHaveGaps: isBrokerDirectory(dir),
      settleMs,
    });
  }

  /** Where reading goes on: behind the latest batch taken or passed over. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Epoch of the latest batch read, that of the start before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** First offset that cannot be read yet, as far as the log has been scanned; the fixed end where there is one. */
  get endOffset(): number {
    return this.#fixedEnd ?? this.#scan.stableOffset;
  }

  get isFinished(): boolean {
    return this.#fixedEnd !== null && this.#head === null && this.#nextOffset >= this.#fixedEnd;
  }

  /** Says that the log may have grown. */
  refresh(): void {
    this.#isScanDue = true;
  }

  /**
   * Scans on towards the end of the log, where there is a reason to.
   * @returns true where the end has been reached.
   * @throws SourceError `source.corrupt`, `source.outOfRange`.
   */
  scan(): boolean {
    if (this.#isScanDue) this.#isScanDue = !this.#scan.advance(scanBytes);
    return !this.#isScanDue;
  }

  /** From now on the reader ends at `endOffset`, by default where the log, scanned to its end, can be read to now. */
  fixEnd(endOffset: number = this.#scan.stableOffset): void {
    this.#fixedEnd = endOffset;
  }

  /**
   * Header of the next batch of committed records, null at the readable end for now.
   * @throws SourceError `source.corrupt`, `source.outOfRange`.
   */
  peek(): BatchHeader | null {
    while (this.#head === null) {
      if (this.#cursor.nextOffset >= this.endOffset) {
        const before = this.endOffset;
        if (this.#fixedEnd !== null || !this.#isScanDue) break;
        if (!this.scan() && this.endOffset === before) break;
        continue;
      }
      const found = this.#cursor.next();
      if (this.#cursor.file !== null) this.#unsyncedFiles.add(this.#cursor.file);
      if (found === null) break;
      if (this.#isShown(found)) this.#head = found;
      else this.#pass(found);
    }
    return this.#head?.header ?? null;
  }

  /** The batch that `peek` has seen; reading goes on behind it. */
  take(): RecordColumns {
    const found = this.#head;
    if (found === null) throw new Error('take without peek');
    this.#head = null;
    this.#pass(found);
    return decodeRecords(found.bytes, found.start, found.header);
  }

  /** Files that were read since the last call: what a checkpoint that names an offset in them relies on. */
  takeUnsyncedFiles(): string[] {
    const files = [...this.#unsyncedFiles];
    this.#unsyncedFiles.clear();
    return files;
  }

  close(): void {
    this.#cursor.close();
    this.#scan.close();
  }

  #isShown({ header }: FoundBatch): boolean {
    if (header.isControl || header.recordCount === 0) return false;
    return !header.isTransactional || !this.#scan.isAborted(header.producerId, header.baseOffset);
  }

  #pass({ header }: FoundBatch): void {
    this.#nextOffset = header.nextOffset;
    this.#epoch = header.epoch;
    this.#scan.forget(header.nextOffset);
  }
}
