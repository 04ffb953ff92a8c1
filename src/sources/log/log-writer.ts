import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { messageOf, SourceError } from '../../errors.ts';
import { loadCompression, maxBatchBytes, type Codec } from '../record-batch/compression.ts';
import { encodeBatch, stampBatch, type LogRecord } from '../record-batch/encode-batch.ts';
import { syncDirectory } from '../../durable-files.ts';
import { beginEpoch } from './leader-epochs.ts';
import { requireLocalFileSystem } from './local-file-system.ts';
import { isBrokerDirectory, partitionDirectory, segmentBases, segmentFile } from './partition-directory.ts';
import { recoverSegment } from './recover-segment.ts';
import { lockDirectory } from './writer-lock.ts';

/** Which log to write, and how. */
export interface LogWriterOptions {
  /** Directory of the log, made where it is missing. */
  readonly dir: string;
  readonly topic: string;
  readonly partition: number;
  /** Size from which on a new segment begins; 128 MiB. */
  readonly segmentBytes?: number;
  /** When appended batches become durable: with each (`batch`), or at least every so many milliseconds; 100. */
  readonly fsync?: 'batch' | number;
  /** How the records of a batch are compressed; `none`. */
  readonly compression?: Codec;
}

/**
 * Appends to one partition of an embedded log, in Kafka's own format. There is one writer per partition; opening it
 * cuts off a torn tail and begins a new epoch. A killed process loses nothing that `append` returned for; a power loss
 * at most what the fsync interval had not reached.
 */
export class LogWriter {
  readonly epoch: number;
  /** Bytes of a torn tail that opening cut off. */
  readonly cutBytes: number;
  readonly #directory: string;
  readonly #unlock: () => void;
  readonly #segmentBytes: number;
  readonly #isSyncedByBatch: boolean;
  readonly #compression: Codec;
  readonly #timer: NodeJS.Timeout | null;
  #fd: number;
  #sizeBytes: number;
  #nextOffset: number;
  #isDirty = false;
  /** The descriptor that is being synced in the background, and whether it is to be closed after that. */
  #syncing: { readonly fd: number; isLeft: boolean } | null = null;
  #failure: SourceError | null = null;
  #isClosed = false;

  /**
   * @throws SourceError `log.locked` while another writer lives; `log.foreign` where a broker owns the directory or it
   * lies on a network file system; `source.corrupt` where the last segment is damaged before its end.
   */
  static async open(options: LogWriterOptions): Promise<LogWriter> {
    await loadCompression();
    const { dir, topic, partition } = options;
    if (isBrokerDirectory(dir)) {
      throw new SourceError('log.foreign', `${dir}: a broker owns this directory (meta.properties); write to another`, {
        context: { dir },
      });
    }
    const directory = partitionDirectory(dir, topic, partition);
    mkdirSync(directory, { recursive: true });
    syncDirectory(dir);
    requireLocalFileSystem(directory);
    const unlock = lockDirectory(directory);
    try {
      return new LogWriter(directory, unlock, options);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  private constructor(directory: string, unlock: () => void, options: LogWriterOptions) {
    const { segmentBytes = 128 << 20, fsync = 100, compression = 'none' } = options;
    this.#directory = directory;
    this.#unlock = unlock;
    this.#segmentBytes = segmentBytes;
    this.#isSyncedByBatch = fsync === 'batch';
    this.#compression = compression;
    const base = segmentBases(directory).at(-1) ?? 0;
    const file = segmentFile(directory, base);
    this.#fd = openSync(file, 'a');
    try {
      const recovered = recoverSegment(file, this.#fd, base);
      this.cutBytes = recovered.cutBytes;
      this.#sizeBytes = recovered.sizeBytes;
      this.#nextOffset = recovered.nextOffset;
      this.epoch = beginEpoch(directory, recovered.nextOffset);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
    this.#timer = fsync === 'batch' ? null : this.#syncEvery(fsync);
  }

  /** Offset that the next record gets: how many records the partition has had. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /**
   * Appends the records as one batch; readers see it at once.
   * @param records at least one; together at most 128 MiB.
   * @returns the offset of the first.
   * @throws SourceError `log.failed`, retriable where the disk was full: the log is then as it was before. After a
   * failed fsync every later call fails.
   */
  append(records: readonly LogRecord[]): number {
    const batch = encodeBatch(records, this.#compression);
    if (batch.length > maxBatchBytes) throw new Error(`a batch of ${batch.length} bytes`);
    if (this.#failure !== null) throw this.#failure;
    if (this.#isClosed) throw new Error('append after close');
    if (this.#sizeBytes > 0 && this.#sizeBytes + batch.length > this.#segmentBytes) this.#roll();
    const foundBytes = fstatSync(this.#fd).size;
    if (foundBytes !== this.#sizeBytes) {
      throw this.#fail(`somebody else wrote to it: ${foundBytes} bytes instead of ${this.#sizeBytes}`);
    }
    const baseOffset = this.#nextOffset;
    stampBatch(batch, baseOffset, this.epoch);
    this.#write(batch);
    this.#sizeBytes += batch.length;
    this.#nextOffset += records.length;
    this.#isDirty = true;
    if (this.#isSyncedByBatch) this.sync();
    return baseOffset;
  }

  /** Makes all that was appended durable. */
  sync(): void {
    if (this.#failure !== null) throw this.#failure;
    if (!this.#isDirty) return;
    try {
      fdatasyncSync(this.#fd);
    } catch (error) {
      throw this.#fail('fsync failed', error);
    }
    this.#isDirty = false;
  }

  /** Makes all durable and gives the partition free for another writer. Repeated calls do nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    try {
      this.sync();
    } finally {
      this.#leave(this.#fd);
      this.#unlock();
    }
  }

  #leave(fd: number): void {
    if (this.#syncing?.fd === fd) this.#syncing.isLeft = true;
    else closeSync(fd);
  }

  #write(batch: Buffer): void {
    try {
      for (let written = 0; written < batch.length;) written += writeSync(this.#fd, batch, written);
    } catch (error) {
      this.#cutBack(error);
      const message = `${this.#directory}: the disk took no more (${messageOf(error)}); free some space`;
      throw new SourceError('log.failed', message, { retriable: true, cause: error });
    }
  }

  /** A full disk must leave no half batch behind. */
  #cutBack(cause: unknown): void {
    try {
      ftruncateSync(this.#fd, this.#sizeBytes);
    } catch {
      throw this.#fail('half a batch could not be taken back', cause);
    }
  }

  #roll(): void {
    // A reader takes a segment that has a newer one behind it for durable.
    this.#isDirty = true;
    this.sync();
    this.#leave(this.#fd);
    this.#fd = openSync(segmentFile(this.#directory, this.#nextOffset), 'a');
    this.#sizeBytes = 0;
    syncDirectory(this.#directory);
  }

  #syncEvery(intervalMs: number): NodeJS.Timeout {
    return setInterval(() => {
      if (!this.#isDirty || this.#syncing !== null) return;
      const syncing = { fd: this.#fd, isLeft: false };
      this.#syncing = syncing;
      this.#isDirty = false;
      fdatasync(syncing.fd, (error) => {
        this.#syncing = null;
        if (syncing.isLeft) closeSync(syncing.fd);
        if (error !== null) this.#fail('fsync failed', error);
      });
    }, intervalMs).unref();
  }

  /** After a failed fsync the kernel may have dropped the data that it could not write: nothing more can be trusted. */
  #fail(what: string, cause?: unknown): SourceError {
    const reason = cause === undefined ? what : `${what} (${messageOf(cause)})`;
    this.#failure = new SourceError('log.failed', `${this.#directory}: ${reason}; the writer has stopped`, { cause });
    return this.#failure;
  }
}
