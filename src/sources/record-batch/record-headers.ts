import type { RecordHeader } from '../../records.ts';

/**
 * Decodes the headers of one record from its header count at `start` to the record's `end`. Headers are not covered by
 * the broker's own checks, so damaged ones must not stop a stream: they end the list early.
 */
export function readHeaders(bytes: Buffer, start: number, end: number): readonly RecordHeader[] {
  const reader = new HeaderReader(bytes.subarray(0, end), start);
  const headers: RecordHeader[] = [];
  const count = reader.varint();
  while (headers.length < count) {
    const key = reader.range();
    const value = reader.range();
    if (reader.isPastEnd) break;
    headers.push({ key: key?.toString('utf8') ?? '', value });
  }
  return headers;
}

class HeaderReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isPastEnd(): boolean {
    return this.#at > this.#bytes.length;
  }

  /** A zigzag varint of up to 32 bits. */
  varint(): number {
    let bits = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      bits |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return (bits >>> 1) ^ -(bits & 1);
  }

  /** Bytes behind their length; null where the length is negative. */
  range(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }
}
