import { parse, type InfoRecord, type Parser } from 'csv-parse';

/** One record of a CSV text. */
export interface CsvRecord {
  /** Its bytes in the file without the line ending; cut at the limit where it is larger. */
  readonly bytes: Buffer;
  /** Empty where the text is not CSV (a stray or unclosed quote) or larger than the limit. */
  readonly cells: readonly string[];
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** More than the parser ever holds back of a piece to look ahead (a line ending, a quote, the longest white space). */
const lookAheadBytes = 16;

/**
 * Splits CSV text (RFC 4180; a byte order mark, CRLF or LF) into records, one array for each piece of text. Nothing
 * disappears: a line that does not parse, or a record larger than `maxRecordBytes`, comes out with no cells, and parsing
 * starts anew at the next line. So a quote that is never closed costs one line, not the rest of the file, and where the
 * text was cut into pieces makes no difference. Empty lines are no records. Holds `maxRecordBytes` and a piece at the most.
 */
export async function* csvRecords(text: AsyncIterable<Buffer>, maxRecordBytes: number): AsyncGenerator<CsvRecord[]> {
  const splitter = new CsvSplitter(maxRecordBytes);
  for await (const piece of text) {
    await splitter.write(piece);
    yield splitter.taken();
  }
  await splitter.end();
  yield splitter.taken();
}

class CsvSplitter {
  readonly #maxRecordBytes: number;
  #records: CsvRecord[] = [];
  #parser: Parser;
  /** Bytes behind the last record. */
  #pending: Buffer = Buffer.alloc(0);
  /** Where `pending` starts, counted from the parser's first byte. */
  #pendingStart = 0;
  /** The first bytes of a line that is being passed over, null outside of one. */
  #passedOver: Buffer | null = null;

  constructor(maxRecordBytes: number) {
    this.#maxRecordBytes = maxRecordBytes;
    this.#parser = this.#newParser();
  }

  /** Records since the last call. */
  taken(): CsvRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  async write(piece: Buffer): Promise<void> {
    let text = piece;
    while (text.length > 0) {
      if (this.#passedOver !== null) {
        text = this.#passOver(text);
        continue;
      }
      this.#pending = this.#pending.length === 0 ? text : Buffer.concat([this.#pending, text]);
      const isParsed = await this.#parse(text);
      if (isParsed && this.#isWithinLimit()) return;
      text = this.#restart();
    }
  }

  async end(): Promise<void> {
    for (;;) {
      if (this.#passedOver !== null) {
        this.#refuse(this.#passedOver);
        return;
      }
      const isParsed = await new Promise<boolean>((resolve) => {
        this.#parser.end((error?: Error | null) => {
          resolve(error === undefined || error === null);
        });
      });
      if (isParsed) return;
      await this.write(this.#restart());
    }
  }

  #isWithinLimit(): boolean {
    const record = trimLineStart(this.#pending);
    this.#pendingStart += this.#pending.length - record.length;
    this.#pending = record;
    return record.length <= this.#maxRecordBytes + lookAheadBytes;
  }

  #newParser(): Parser {
    const parser = parse({
      bom: true,
      // Both in one file too, as in files joined from different systems.
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      // The limit below counts bytes, so that it does not depend on how the text was cut.
      max_record_size: 0,
      on_record: (cells: string[], info) => {
        this.#accept(cells, info);
        return null;
      },
    });
    // Each call to `write` and `end` hears of the error by its own callback.
    parser.on('error', () => undefined);
    this.#pendingStart = 0;
    return parser;
  }

  #parse(text: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      this.#parser.write(text, (error) => {
        resolve(error === undefined || error === null);
      });
    });
  }

  #accept(cells: readonly string[], info: InfoRecord): void {
    const length = info.bytes - this.#pendingStart;
    const bytes = trimLineEnds(this.#pending.subarray(0, length));
    if (bytes.length > this.#maxRecordBytes) throw new RangeError('record larger than the limit');
    this.#records.push({ bytes, cells });
    this.#pending = this.#pending.subarray(length);
    this.#pendingStart = info.bytes;
  }

  /** Gives up the line that `pending` starts with; returns the text behind it, for a new parser. */
  #restart(): Buffer {
    const text = trimLineStart(this.#pending);
    this.#pending = Buffer.alloc(0);
    this.#parser.destroy();
    this.#parser = this.#newParser();
    this.#passedOver = Buffer.alloc(0);
    return this.#passOver(text);
  }

  #passOver(text: Buffer): Buffer {
    const at = text.indexOf(newline);
    const line = at === -1 ? text : text.subarray(0, at);
    const room = this.#maxRecordBytes - (this.#passedOver?.length ?? 0);
    this.#passedOver = Buffer.concat([this.#passedOver ?? Buffer.alloc(0), line.subarray(0, room)]);
    if (at === -1) return Buffer.alloc(0);
    this.#refuse(this.#passedOver);
    return text.subarray(at + 1);
  }

  #refuse(line: Buffer): void {
    this.#records.push({ bytes: trimLineEnds(line), cells: [] });
    this.#passedOver = null;
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === newline || byte === carriageReturn;
}

function trimLineStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length && isLineEnd(bytes[start])) start++;
  return bytes.subarray(start);
}

function trimLineEnds(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && isLineEnd(bytes[end - 1])) end--;
  return trimLineStart(bytes.subarray(0, end));
}
