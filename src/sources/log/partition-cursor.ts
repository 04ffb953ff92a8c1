import { statSync } from 'node:fs';
import { SourceError } from '../../errors.ts';
import { maxBatchBytes } from '../record-batch/compression.ts';
import { corrupt } from '../record-batch/corrupt.ts';
import { findBatch } from './batch-search.ts';
import { segmentBases, segmentFile } from './partition-directory.ts';
import type { FoundBatch } from '../record-batch/found-batch.ts';
import { SegmentReader, type SegmentReadOptions } from './segment-reader.ts';

export interface CursorOptions {
  readonly directory: string;
  readonly windowBytes: number;
  readonly isHeadersOnly: boolean;
  /** True in a broker's directory: compaction takes records, batches and whole segments out. */
  readonly mayHaveGaps: boolean;
  /** How long a bad batch is tried again, since a file's size may run ahead of its data. */
  readonly settleMs: number;
}

/** The log no longer begins where the reader stands. */
export class LogStartPassed extends SourceError {
  readonly logStartOffset: number;

  constructor(directory: string, offset: number, logStartOffset: number) {
    const message = `${directory}: offset ${offset} is gone, the log now starts at ${logStartOffset}`;
    super('source.outOfRange', message, { context: { directory, offset } });
    this.logStartOffset = logStartOffset;
  }
}

/** Walks a partition's batches from segment to segment, as far as they are whole. */
export class PartitionCursor {
  /** First offset that was not passed yet. */
  nextOffset: number;
  readonly #options: CursorOptions;
  readonly #readOptions: SegmentReadOptions;
  #segment: SegmentReader | null = null;
  #segmentBase = -1;
  #badSince: number | null = null;
  #rereadAt = -1;
  #searched = '';

  /** Stands before the batch that holds `offset`, which must not lie below the log's start. */
  constructor(offset: number, options: CursorOptions) {
    this.nextOffset = offset;
    this.#options = options;
    this.#readOptions = { ...options, maxBatchBytes };
  }

  /** The segment file that the latest batch came from. */
  get file(): string | null {
    return this.#segment?.file ?? null;
  }

  /** True while a bad batch at the tail is given time: `next` has not come to the log's end. */
  get isSettling(): boolean {
    return this.#badSince !== null;
  }

  /**
   * The next batch that reaches beyond `nextOffset`, null where the log ends for now.
   * @throws SourceError `source.corrupt` for damage that waiting does not mend; `LogStartPassed`.
   */
  next(): FoundBatch | null {
    for (;;) {
      if (this.#segment === null && !this.#move()) return null;
      const segment = this.#segment;
      if (segment === null) return null;
      const found = segment.next();
      if (typeof found !== 'string') {
        this.#badSince = null;
        if (found.header.nextOffset <= this.nextOffset) continue;
        this.#checkGap(found.header.baseOffset);
        this.nextOffset = found.header.nextOffset;
        return found;
      }
      if (found === 'bad') {
        this.#giveTime(segment);
        return null;
      }
      if (!this.#move()) {
        if (segment.restBytes < 0) throw this.#damage(segment, 'the file was cut back behind its reader,');
        if (found === 'incomplete') this.#refuseDamage(segment);
        return null;
      }
    }
  }

  close(): void {
    this.#segment?.close();
    this.#segment = null;
  }

  /** Goes to where `nextOffset` lies, which may be the same file once more; false where there is nothing more to read. */
  #move(): boolean {
    const { directory } = this.#options;
    const bases = segmentBases(directory);
    if (bases.length === 0) return false;
    const base = bases.findLast((candidate) => candidate <= this.nextOffset);
    if (base === undefined) throw new LogStartPassed(directory, this.nextOffset, bases[0] ?? 0);
    if (this.#segment === null) return this.#open(base);
    const newer = bases.find((candidate) => candidate > this.#segmentBase);
    // The cleaner replaces a segment under its own name.
    const isReplaced = base === this.#segmentBase && this.#inodeOf(base) !== this.#segment.inode;
    if (base === this.#segmentBase && !isReplaced && newer === undefined) return false;
    // What came between our last read and the roll is still in the old file: read it once more.
    if (this.#rereadAt !== this.#segment.at) {
      this.#rereadAt = this.#segment.at;
      return true;
    }
    if (this.#segment.restBytes > 0) throw this.#damage(this.#segment, 'half a batch inside the log');
    let next = base;
    if (!isReplaced && base === this.#segmentBase) {
      if (newer === undefined) return false;
      this.#checkGap(newer);
      next = newer;
    }
    this.#segment.close();
    return this.#open(next);
  }

  #open(base: number): boolean {
    this.#segment = new SegmentReader(segmentFile(this.#options.directory, base), this.#readOptions);
    this.#segmentBase = base;
    this.#rereadAt = -1;
    return true;
  }

  #inodeOf(base: number): number {
    return statSync(segmentFile(this.#options.directory, base)).ino;
  }

  #checkGap(baseOffset: number): void {
    if (baseOffset <= this.nextOffset || this.#options.mayHaveGaps) return;
    const { directory } = this.#options;
    throw corrupt(
      `${directory}: offsets ${this.nextOffset} to ${baseOffset - 1} are missing; restore their segment, or start behind them`,
      { directory, offset: this.nextOffset },
    );
  }

  /** Only the tail of the last segment may have a size that runs ahead of its data. */
  #giveTime(segment: SegmentReader): void {
    const isLast = segmentBases(this.#options.directory).at(-1) === this.#segmentBase;
    const now = performance.now();
    this.#badSince ??= now;
    if (!isLast || now - this.#badSince >= this.#options.settleMs) throw this.#damage(segment, 'a damaged batch');
  }

  /**
   * A length field may be damaged so that its batch seems to go on behind the end: then good ones lie behind it. Looked for in the
   * bytes alone in which the batch is not whole: what a writer adds meanwhile makes it whole and has others behind it.
   */
  #refuseDamage(segment: SegmentReader): void {
    const { judgedBytes } = segment;
    const key = `${segment.file} ${segment.at} ${judgedBytes}`;
    if (this.#searched === key) return;
    this.#searched = key;
    const end = segment.at + judgedBytes;
    if (findBatch(segment.fd, segment.at + 1, end, this.nextOffset, maxBatchBytes) === null) return;
    throw this.#damage(segment, 'a damaged batch with good ones behind it');
  }

  #damage(segment: SegmentReader, what: string): SourceError {
    const { file, at } = segment;
    return corrupt(`${file}: ${what} at byte ${at} (offset ${this.nextOffset}); restore the file from a copy`, {
      file,
      byte: at,
      offset: this.nextOffset,
    });
  }
}
