/** Reads one zig-zag varint of any length: the careful way, for numbers that the inline code leaves. */
export class AvroVarint {
  /** Where the number read last ends; -1 where it was none: cut off, or longer than 64 bits. */
  at = 0;

  /** The number at `at`, exact within ±2⁵³ and close beyond. */
  read(bytes: Buffer, at: number, end: number): number {
    let low = 0;
    let high = 0;
    let unit = 1;
    for (let length = 0; length < 10 && at < end; length += 1) {
      const byte = bytes[at]!;
      at += 1;
      // The tenth byte holds the one bit that is left of 64.
      if (length === 9 && byte > 1) break;
      if (length < 4) low |= (byte & 0x7f) << (7 * length);
      else {
        high += (byte & 0x7f) * unit;
        unit *= 128;
      }
      if (byte >= 0x80) continue;
      this.at = at;
      // Half of it first: the zig-zag form has one bit more than a double holds.
      const half = high * 2 ** 27 + (low >>> 1);
      return (low & 1) === 0 ? half : -half - 1;
    }
    this.at = -1;
    return 0;
  }
}
