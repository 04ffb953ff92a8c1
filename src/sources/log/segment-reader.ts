import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { hasGoodCrc, headerBytes, readHeader, type NoBatch } from '../record-batch/batch-header.ts';
import type { FoundBatch } from '../record-batch/found-batch.ts';

export interface SegmentReadOptions {
  /** Bytes read at once; a longer batch is read whole. */
  readonly windowBytes: number;
  /** A longer batch counts as bad. */
  readonly maxBatchBytes: number;
  /** True to pass over bodies unread and unchecked, those of control batches excepted. */
  readonly isHeadersOnly: boolean;
}

const nothing = Buffer.alloc(0);

/** Reads one segment file batch by batch. Never keeps half a batch: what was incomplete or bad is read anew. */
export class SegmentReader {
  readonly file: string;
  readonly inode: number;
  /** Where the next batch begins, in bytes. */
  at = 0;
  readonly #fd: number;
  readonly #options: SegmentReadOptions;
  #window: Buffer = nothing;
  #windowAt = 0;
  /** Size of the file when the window was read. */
  #seenBytes = 0;

  constructor(file: string, options: SegmentReadOptions) {
    this.file = file;
    this.#options = options;
    this.#fd = openSync(file, 'r');
    this.inode = fstatSync(this.#fd).ino;
  }

  /** Bytes of the file behind the last good batch. */
  get restBytes(): number {
    return fstatSync(this.#fd).size - this.at;
  }

  /** The same as it was when `next` decided; a writer may have gone on since. */
  get judgedBytes(): number {
    return this.#seenBytes - this.at;
  }

  get fd(): number {
    return this.#fd;
  }

  /** The next batch, or why there is none now; `end` where the file ends with the batch before. */
  next(): FoundBatch | NoBatch | 'end' {
    const found = this.#inWindow();
    if (typeof found !== 'string') return this.#pass(found);
    // Whatever the window says of its edge may be old: decide on a fresh read only.
    this.#fill(this.#options.windowBytes);
    let fresh = this.#inWindow();
    if (fresh === 'incomplete' && this.#missingBytes() > 0) {
      this.#fill(this.#window.length + this.#missingBytes());
      fresh = this.#inWindow();
    }
    if (typeof fresh !== 'string') return this.#pass(fresh);
    return fresh === 'incomplete' && this.#seenBytes <= this.at ? 'end' : fresh;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #pass(found: FoundBatch): FoundBatch {
    this.at += found.header.sizeBytes;
    return found;
  }

  #inWindow(): FoundBatch | NoBatch {
    const { maxBatchBytes, isHeadersOnly } = this.#options;
    const start = this.at - this.#windowAt;
    if (start > this.#window.length) return 'incomplete';
    const header = readHeader(this.#window, start, this.#window.length, maxBatchBytes);
    if (typeof header === 'string') return header;
    const isBodyWanted = !isHeadersOnly || header.isControl;
    const knownBytes = isBodyWanted ? this.#window.length - start : this.#seenBytes - this.at;
    if (header.sizeBytes > knownBytes) return 'incomplete';
    if (isBodyWanted && !hasGoodCrc(this.#window, start, header.sizeBytes)) return 'bad';
    return { header, bytes: this.#window, start };
  }

  /** How much of the batch at the window's start lies behind the window, though in the file; 0 where that is no use. */
  #missingBytes(): number {
    if (this.#window.length < headerBytes) return 0;
    const header = readHeader(this.#window, 0, this.#window.length, this.#options.maxBatchBytes);
    if (typeof header === 'string' || header.sizeBytes > this.#seenBytes - this.at) return 0;
    return header.sizeBytes - this.#window.length;
  }

  #fill(bytes: number): void {
    this.#seenBytes = fstatSync(this.#fd).size;
    // A new buffer each time: blocks that were handed on still lie in the old one.
    const window = Buffer.allocUnsafeSlow(Math.max(0, Math.min(bytes, this.#seenBytes - this.at)));
    const read = window.length === 0 ? 0 : readSync(this.#fd, window, 0, window.length, this.at);
    this.#window = window.subarray(0, read);
    this.#windowAt = this.at;
  }
}
