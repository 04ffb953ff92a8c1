const high = 2 ** 32;

/** A signed 64-bit big-endian integer as a number; exact within ±2⁵³. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * high + bytes.readUInt32BE(at + 4);
}

/** Writes an integer within ±2⁵³ as 64 bits, big-endian. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / high), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}
