import { watch, type FSWatcher } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { messageOf, SourceError } from '../../errors.ts';
import type { RecordBlock } from '../../records.ts';
import type { Telemetry } from '../../telemetry.ts';
import { loadCompression } from '../record-batch/compression.ts';
import { emptyBlock, recordBlocks } from '../record-batch/record-blocks.ts';
import type { LogSourceOptions } from './log-source-options.ts';
import { readerAtPosition, readerAtStart } from './open-reader.ts';
import { LogStartPassed } from './partition-cursor.ts';
import { listPartitions, partitionDirectory } from './partition-directory.ts';
import type { PartitionReader } from './partition-reader.ts';
import { Wake } from './wake.ts';

/** How long reading may hold the event loop. */
const turnMs = 10;

/** One partition that takes part in the merge. */
interface Member {
  reader: PartitionReader;
  /** Where the latest block handed on ends. */
  toldOffset: number;
  /** End of the log that was told last. */
  toldEnd: number;
  readonly watcher: FSWatcher | null;
}

/** One subscription: reads every partition of the topic and hands on their batches in one order. */
export class LogReading {
  readonly #options: LogSourceOptions;
  readonly #telemetry: Telemetry;
  readonly #signal: AbortSignal;
  readonly #emit: (block: RecordBlock) => void;
  readonly #wake = new Wake();
  /** Ascending by partition. */
  #members: Member[] = [];
  #isListingDue = true;
  /** When the topic's directory was listed last, of `performance.now()`. */
  #listedMs = -Infinity;
  #turnStart = performance.now();
  readonly #unsyncedFiles = new Set<string>();

  constructor(
    options: LogSourceOptions,
    telemetry: Telemetry,
    signal: AbortSignal,
    emit: (block: RecordBlock) => void,
  ) {
    this.#options = options;
    this.#telemetry = telemetry;
    this.#signal = signal;
    this.#emit = emit;
  }

  /**
   * Resolves at the end of bounded input, behind its last block, or when the signal aborts.
   * @throws SourceError.
   */
  async run(): Promise<void> {
    let watcher: FSWatcher | null = null;
    try {
      await loadCompression();
      await this.#joinTopic();
      watcher = this.#watch(this.#options.dir, () => (this.#isListingDue = true));
      if (this.#options.isBounded) await this.#fixEnds();
      await this.#read();
    } catch (error) {
      if (error instanceof SourceError) throw error;
      const { dir, topic } = this.#options;
      const message = `${topic} in ${dir} cannot be read: ${messageOf(error)}`;
      throw new SourceError('source.unavailable', message, { cause: error });
    } finally {
      watcher?.close();
      for (const { reader, watcher: own } of this.#members) {
        own?.close();
        this.#keepFiles(reader);
        reader.close();
      }
    }
  }

  /**
   * Makes the bytes of every batch read so far durable.
   * @throws SourceError `source.unavailable`.
   */
  async syncFiles(): Promise<void> {
    for (const { reader } of this.#members) this.#keepFiles(reader);
    const files = [...this.#unsyncedFiles];
    this.#unsyncedFiles.clear();
    try {
      for (const file of files) await syncFile(file);
    } catch (error) {
      for (const file of files) this.#unsyncedFiles.add(file);
      throw new SourceError('source.unavailable', `the log cannot be made durable: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #keepFiles(reader: PartitionReader): void {
    for (const file of reader.takeUnsyncedFiles()) this.#unsyncedFiles.add(file);
  }

  async #joinTopic(): Promise<void> {
    const { dir, topic, isBounded, connectTimeoutMs, pollMs } = this.#options;
    const since = performance.now();
    let isWaiting = false;
    while (!this.#signal.aborted) {
      this.#joinNew();
      if (this.#members.length > 0) {
        this.#telemetry.emit({ type: 'sourceJoined' });
        return;
      }
      const message = `there is no topic ${topic} in ${dir}`;
      if (!isWaiting) this.#telemetry.emit({ type: 'sourceInterrupted', message });
      isWaiting = true;
      if (isBounded && performance.now() - since >= connectTimeoutMs) {
        throw new SourceError('source.unavailable', `${message}; check the name, or produce to it first`, {
          retriable: true,
          context: { dir, topic },
        });
      }
      await this.#wake.wait(pollMs, this.#signal);
    }
  }

  /** Takes in partitions that have appeared. */
  #joinNew(): void {
    this.#isListingDue = false;
    this.#listedMs = performance.now();
    const { dir, topic, positions, start } = this.#options;
    const isFirst = this.#members.length === 0;
    // Of what appears later, or was not there at the checkpoint, nothing has been read: it is read from its start.
    const startOfNew = isFirst && positions.every((position) => position.topic !== topic) ? start : 'earliest';
    for (const partition of listPartitions(dir, topic)) {
      if (this.#members.some(({ reader }) => reader.partition === partition)) continue;
      const known = isFirst ? positions.find((at) => at.topic === topic && at.partition === partition) : undefined;
      const reader =
        known === undefined
          ? readerAtStart(this.#options, partition, startOfNew)
          : readerAtPosition(this.#options, known, this.#telemetry);
      const member: Member = {
        reader,
        toldOffset: known?.nextOffset ?? (startOfNew === 'earliest' ? reader.nextOffset : -1),
        toldEnd: -1,
        watcher: this.#watch(partitionDirectory(dir, topic, partition), () => {
          member.reader.refresh();
        }),
      };
      this.#members.push(member);
      // A checkpoint must know where reading began even if nothing comes: starting again would begin elsewhere.
      this.#tellPosition(member);
    }
    this.#members.sort((left, right) => left.reader.partition - right.reader.partition);
    if (isFirst && this.#members.length > 0) this.#refuseLostPartitions();
  }

  /** A partition that was read before and has no folder any more is a log whose end lies below the position. */
  #refuseLostPartitions(): void {
    const { topic, positions } = this.#options;
    for (const position of positions) {
      const isMember = this.#members.some(({ reader }) => reader.partition === position.partition);
      if (position.topic !== topic || position.nextOffset === 0 || isMember) continue;
      readerAtPosition(this.#options, position, this.#telemetry).close();
    }
  }

  #watch(directory: string, onChange: () => void): FSWatcher | null {
    try {
      const watcher = watch(directory, () => {
        onChange();
        this.#wake.notify();
      });
      // The slow poll sees what a broken watch does not.
      watcher.on('error', () => {
        watcher.close();
      });
      return watcher;
    } catch {
      return null;
    }
  }

  async #fixEnds(): Promise<void> {
    for (const member of this.#members) {
      while (!this.#attempt(member, () => member.reader.scan(), false) && !this.#signal.aborted) {
        await this.#wake.wait(1, this.#signal);
      }
      member.reader.fixEnd();
      this.#tellEnd(member);
    }
  }

  async #read(): Promise<void> {
    const { isBounded, pollMs } = this.#options;
    while (!this.#signal.aborted) {
      const member = this.#nextMember();
      if (member !== null) {
        await this.#handOn(member);
        if (performance.now() - this.#turnStart >= turnMs) await this.#pause();
        continue;
      }
      for (const idle of this.#members) this.#tellPosition(idle);
      if (this.#members.every(({ reader }) => reader.isFinished)) {
        this.#tellEndOfInput();
        return;
      }
      await this.#wake.wait(pollMs, this.#signal);
      for (const { reader } of this.#members) reader.refresh();
      // A watch that is broken says nothing, also while partitions that are known are written to.
      const isListingOld = performance.now() - this.#listedMs >= pollMs;
      if (!isBounded && (this.#isListingDue || isListingOld)) this.#joinNew();
      this.#look();
    }
  }

  /**
   * The member whose batch comes next: that with the lowest base timestamp, then partition. Towards fixed ends every
   * unfinished partition takes part, so that a replay has one order; followed live, none is waited for.
   */
  #nextMember(): Member | null {
    let next: Member | null = null;
    let lowestMs = Infinity;
    for (const member of this.#members) {
      const header = this.#attempt(member, () => member.reader.peek(), null);
      if (header === null) {
        if (this.#options.isBounded && !member.reader.isFinished) return null;
      } else if (next === null || header.baseTimestampMs < lowestMs) {
        next = member;
        lowestMs = header.baseTimestampMs;
      }
    }
    return next;
  }

  async #handOn(member: Member): Promise<void> {
    const { topic, credit } = this.#options;
    const { reader } = member;
    const fromOffset = reader.nextOffset;
    const columns = reader.take();
    const blocks = recordBlocks(columns, {
      topic,
      partition: reader.partition,
      fromOffset,
      stopOffset: Infinity,
      endOffset: reader.endOffset,
      take: (bytes) => credit.take(bytes),
    });
    for (;;) {
      await credit.available(this.#signal);
      if (this.#signal.aborted) return;
      const block = blocks.next().value;
      if (block === undefined) return;
      member.toldOffset = block.nextOffset;
      this.#emit(block);
    }
  }

  /** Retention may overtake a slow reader at any read: then the policy decides where it goes on. */
  #attempt<T>(member: Member, read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof LogStartPassed)) throw error;
      const { reader } = member;
      const { topic } = this.#options;
      const { partition, nextOffset, epoch } = reader;
      member.reader = readerAtPosition(this.#options, { topic, partition, nextOffset, epoch }, this.#telemetry);
      while (!member.reader.scan());
      if (this.#options.isBounded) member.reader.fixEnd(reader.endOffset);
      this.#keepFiles(reader);
      reader.close();
      return otherwise;
    }
  }

  /** Lets timers, requests and file events have their turn, then looks at what they changed. */
  async #pause(): Promise<void> {
    await setImmediate();
    this.#turnStart = performance.now();
    if (this.#options.isBounded) return;
    if (this.#isListingDue) this.#joinNew();
    this.#look();
  }

  #look(): void {
    for (const member of this.#members) {
      this.#attempt(member, () => member.reader.scan(), false);
      this.#tellEnd(member);
    }
  }

  #tellEnd(member: Member): void {
    const { partition, endOffset } = member.reader;
    if (endOffset === member.toldEnd) return;
    member.toldEnd = endOffset;
    this.#telemetry.emit({ type: 'endOffsetSeen', topic: this.#options.topic, partition, endOffset });
  }

  /** Hands on a position that no block with records has covered: behind control records, or after a jump. */
  #tellPosition(member: Member): void {
    if (member.reader.nextOffset === member.toldOffset) return;
    member.toldOffset = member.reader.nextOffset;
    this.#emit(this.#emptyBlock(member, false));
  }

  #tellEndOfInput(): void {
    const first = this.#members[0];
    if (first !== undefined) this.#emit(this.#emptyBlock(first, true));
  }

  #emptyBlock({ reader }: Member, isEndOfInput: boolean): RecordBlock {
    const { partition, nextOffset, epoch, endOffset } = reader;
    return emptyBlock({ topic: this.#options.topic, partition, nextOffset, epoch, endOffset, isEndOfInput });
  }
}

async function syncFile(file: string): Promise<void> {
  try {
    const handle = await open(file, 'r');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    // Deleted by retention, or on a read-only disk: nothing of it can be lost any more.
    if (code !== 'ENOENT' && code !== 'EROFS') throw error;
  }
}
