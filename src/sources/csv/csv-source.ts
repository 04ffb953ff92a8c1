import { wallClock, type Clock } from '../../clock.ts';
import { ConfigError, SourceError } from '../../errors.ts';
import type { Position, RecordBlock } from '../../records.ts';
import type { Telemetry } from '../../telemetry.ts';
import type { Credit } from '../credit.ts';
import { generatorSource } from '../generator-source.ts';
import { maxBlockRecords, type Source } from '../source.ts';
import { csvBlock } from './csv-block.ts';
import { csvFiles, csvText, csvTopic } from './csv-files.ts';
import { Pace } from './csv-pace.ts';
import { csvRecords, type CsvRecord } from './csv-records.ts';
import { cellTime, checkedHeader } from './csv-types.ts';

/** Which files, how fast, and from where. */
export interface CsvSourceOptions {
  /** A path or a glob (`*` and `?` within a name); `.gz` is unpacked. All files have the same header. */
  readonly files: string;
  /** Seconds of event time that pass in one second, or `max`: as fast as rows are taken. */
  readonly speed: number | 'max';
  /** Column with the event time; needed only where `speed` is a number. */
  readonly timeField: string | null;
  /** Passes over the files, 1 or more; rows of the first only are scored. */
  readonly epochs: number;
  /** Where to go on; the position of another topic is ignored. */
  readonly positions: readonly Position[];
  readonly credit: Credit;
  /** A larger record has no cells. */
  readonly maxRecordBytes: number;
}

/**
 * Rows of CSV files as one bounded stream: topic = base name of `files`, partition 0, epoch = pass.
 * Offset = pass × rows + row, counted over all files in name order; a record that is not CSV counts as a row, with
 * the text that there is as its value and no cells. Timestamps are the time of reading.
 * @throws (in `blocks`) ConfigError where a file is missing or has another header; SourceError `source.corrupt` where
 * a file cannot be unpacked or changed between passes, `source.outOfRange` where a position lies behind the end.
 */
export function csvSource(options: CsvSourceOptions, telemetry: Telemetry, clock: Clock = wallClock): Source {
  return generatorSource((signal) => new CsvReader(options, telemetry, clock, signal).blocks());
}

class CsvReader {
  readonly #options: CsvSourceOptions;
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #credit: Credit;
  readonly #topic: string;
  /** The first offset to hand on. */
  readonly #startOffset: number;
  /** Rows of one pass, -1 until one was read to its end. */
  #rowCount = -1;
  #header: readonly string[] | null = null;

  constructor(options: CsvSourceOptions, telemetry: Telemetry, clock: Clock, signal: AbortSignal) {
    this.#options = options;
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#signal = signal;
    this.#credit = options.credit;
    this.#topic = csvTopic(options.files);
    this.#startOffset = options.positions.find((position) => position.topic === this.#topic)?.nextOffset ?? 0;
  }

  async *blocks(): AsyncGenerator<RecordBlock> {
    const files = await csvFiles(this.#options.files);
    this.#telemetry.emit({ type: 'sourceJoined' });
    const { epochs } = this.#options;
    for (let pass = 0; pass < epochs; pass++) {
      // Only behind the first pass is it known which later ones lie before the start.
      if (pass > 0 && this.#startOffset >= (pass + 1) * this.#rowCount) continue;
      yield* this.#readPass(files, pass);
      if (this.#isStopped()) return;
    }
    const endOffset = this.#rowCount * epochs;
    if (this.#startOffset > endOffset) {
      throw new SourceError(
        'source.outOfRange',
        `${this.#options.files} ends at row ${endOffset}, before the position to go on from; was it cut or replaced?`,
        { context: { file: this.#options.files, endOffset } },
      );
    }
    yield this.#endOfInput(endOffset);
  }

  // A method, since the compiler takes a property that was false once for false ever after.
  #isStopped(): boolean {
    return this.#signal.aborted;
  }

  async *#readPass(files: readonly string[], pass: number): AsyncGenerator<RecordBlock> {
    const pace = this.#options.speed === 'max' ? null : new Pace(this.#options.speed, this.#clock);
    const passOffset = pass * Math.max(this.#rowCount, 0);
    let row = 0;
    for (const file of files) {
      for await (const records of this.#rows(file)) {
        if (this.#isStopped()) return;
        const skipped = Math.min(records.length, Math.max(0, this.#startOffset - passOffset - row));
        row += skipped;
        for await (const due of this.#due(records.slice(skipped), pace)) {
          await this.#credit.available(this.#signal);
          if (this.#isStopped()) return;
          yield this.#block(due, pass, passOffset + row);
          row += due.length;
        }
      }
    }
    if (this.#rowCount !== -1 && this.#rowCount !== row) {
      throw new SourceError(
        'source.corrupt',
        `${this.#options.files} had ${this.#rowCount} rows in the first pass and ${row} in pass ${pass + 1}: files must not change while they are read`,
        { context: { file: this.#options.files } },
      );
    }
    this.#rowCount = row;
  }

  /** Records of one file behind its header. */
  async *#rows(file: string): AsyncGenerator<CsvRecord[]> {
    let isHeaderRead = false;
    for await (const records of csvRecords(csvText(file), this.#options.maxRecordBytes)) {
      if (isHeaderRead) {
        yield records;
        continue;
      }
      const header = records.shift();
      if (header === undefined) continue;
      this.#checkHeader(file, header.cells);
      isHeaderRead = true;
      yield records;
    }
    if (!isHeaderRead) checkedHeader(file, []);
  }

  #checkHeader(file: string, cells: readonly string[]): void {
    this.#header ??= checkedHeader(file, cells);
    if (cells.join('\n') !== this.#header.join('\n')) {
      throw new ConfigError(
        'config.invalid',
        `source.csv.file: ${file} has the columns ${cells.join(', ')}, but the files before it have ${this.#header.join(', ')}; give all of them one header`,
        { context: { file } },
      );
    }
    const { speed, timeField } = this.#options;
    if (speed === 'max') return;
    if (timeField === null || !this.#header.includes(timeField)) {
      throw new ConfigError(
        'config.invalid',
        `source.csv.speed: ${speed} needs a time column, but time.field is ${timeField ?? 'not set'} and ${file} has the columns ${this.#header.join(', ')}; set time.field or speed: max`,
        { context: { key: 'source.csv.speed', file } },
      );
    }
  }

  /** Cuts records into runs that are due, each at most a block. */
  async *#due(records: readonly CsvRecord[], pace: Pace | null): AsyncGenerator<readonly CsvRecord[]> {
    const timeIndex = this.#header?.indexOf(this.#options.timeField ?? '') ?? -1;
    const dueMs = (record: CsvRecord | undefined): number =>
      pace?.dueMs(cellTime(record?.cells[timeIndex] ?? '')) ?? -Infinity;
    let start = 0;
    while (start < records.length && !this.#isStopped()) {
      const nowMs = this.#clock.now();
      let end = start;
      while (end < records.length && end - start < maxBlockRecords && dueMs(records[end]) <= nowMs) end++;
      if (end === start) await this.#clock.waitUntil(dueMs(records[start]), this.#signal);
      else yield records.slice(start, end);
      start = end;
    }
  }

  #block(records: readonly CsvRecord[], pass: number, firstOffset: number): RecordBlock {
    const nowMs = this.#clock.now();
    const endOffset = this.#rowCount === -1 ? -1 : this.#rowCount * this.#options.epochs;
    const place = { topic: this.#topic, firstOffset, pass, endOffset, nowMs };
    return csvBlock(records, place, (bytes) => this.#credit.take(bytes));
  }

  #endOfInput(endOffset: number): RecordBlock {
    const place = {
      topic: this.#topic,
      firstOffset: endOffset,
      pass: this.#options.epochs - 1,
      endOffset,
      nowMs: this.#clock.now(),
    };
    return { ...csvBlock([], place, () => () => undefined), isEndOfInput: true };
  }
}
