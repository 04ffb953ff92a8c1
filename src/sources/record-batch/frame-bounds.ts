/**
 * Upper bounds of what a compressed frame can decode to, from its block headers alone. Libraries that decode a whole
 * frame at once have no limit of their own, so a bomb must be recognized before they see it.
 */

const lz4Magic = 0x184d2204;
const lz4BlockBytes = [0, 0, 0, 0, 64 << 10, 256 << 10, 1 << 20, 4 << 20];

export interface FrameBounds {
  /** Length of the frame, end mark and checksum included. */
  readonly frameBytes: number;
  /** No frame with these block headers decodes to more. */
  readonly maxDecodedBytes: number;
  /** What one block decodes to at most: how far the bound may lie above the truth, where writers fill their blocks. */
  readonly blockBytes: number;
}

/**
 * Bounds of an LZ4 frame (LZ4 Frame Format Description 1.6).
 * @throws RangeError where the bytes end early; Error where they are no LZ4 frame.
 */
export function lz4Bounds(bytes: Buffer): FrameBounds {
  if (bytes.readUInt32LE(0) !== lz4Magic) throw new Error('not an LZ4 frame');
  const flags = bytes.readUInt8(4);
  const hasBlockChecksums = (flags & 0x10) !== 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasContentChecksum = (flags & 0x04) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  const blockBytes = lz4BlockBytes[(bytes.readUInt8(5) >> 4) & 7] ?? 0;
  let at = 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  let maxDecodedBytes = 0;
  for (;;) {
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const size = word & 0x7fffffff;
    const isStored = word > 0x7fffffff;
    // One byte of a match length stands for at most 255 bytes.
    maxDecodedBytes += isStored ? size : Math.min(blockBytes, size * 255);
    at += size + (hasBlockChecksums ? 4 : 0);
  }
  if (hasContentSize) {
    const declared = Number(bytes.readBigUInt64LE(6));
    if (declared > maxDecodedBytes) throw new Error(`an LZ4 frame that claims ${declared} bytes`);
  }
  return { frameBytes: at + (hasContentChecksum ? 4 : 0), maxDecodedBytes, blockBytes };
}

const zstdMagic = 0xfd2fb528;
const zstdBlockBytes = 128 << 10;

/**
 * Bounds of a Zstandard frame (RFC 8878, section 3.1.1).
 * @throws RangeError where the bytes end early; Error where they are no Zstandard frame.
 */
export function zstdBounds(bytes: Buffer): FrameBounds {
  if (bytes.readUInt32LE(0) !== zstdMagic) throw new Error('not a Zstandard frame');
  const descriptor = bytes.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeAt = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
  let at = sizeAt + sizeBytes;
  let maxDecodedBytes = 0;
  for (let isLast = false; !isLast;) {
    const head = bytes.readUIntLE(at, 3);
    isLast = (head & 1) === 1;
    const type = (head >> 1) & 3;
    const size = head >> 3;
    // Raw and run-length blocks say how long they are; a compressed one may reach the format's limit.
    maxDecodedBytes += type === 2 ? zstdBlockBytes : size;
    at += 3 + (type === 1 ? 1 : size);
  }
  const declared = declaredZstdBytes(bytes, sizeAt, sizeBytes);
  if (declared > maxDecodedBytes) throw new Error(`a Zstandard frame that claims ${declared} bytes`);
  return { frameBytes: at + ((descriptor & 4) !== 0 ? 4 : 0), maxDecodedBytes, blockBytes: zstdBlockBytes };
}

/** The content size in the frame's header, -1 where there is none. */
function declaredZstdBytes(bytes: Buffer, at: number, length: number): number {
  if (length === 0) return -1;
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}
