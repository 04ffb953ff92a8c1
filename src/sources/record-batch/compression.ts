import zlib from 'node:zlib';
import lz4 from 'lz4-napi';
import snappy from 'snappy';
import { corrupt } from './corrupt.ts';
import { lz4Bounds, zstdBounds, type FrameBounds } from './frame-bounds.ts';

/** Codecs of record batches; the index is the number in the batch's attributes. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof codecs)[number];

/** Bytes that one batch may decompress to where the caller names no limit of its own: 128 MiB. */
export const maxBatchBytes = 128 << 20;

interface Zstd {
  compress(bytes: Buffer): Uint8Array;
  /** `maxBytes` is a size that the output is known not to exceed. */
  decompress(bytes: Buffer, maxBytes: number): Uint8Array;
}

/** In Node's zlib from 22.15 on; the types are those of the oldest supported Node. */
interface ZlibWithZstd {
  readonly zstdCompressSync?: (bytes: Buffer) => Buffer;
  readonly zstdDecompressSync?: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;
}

let zstd: Zstd | null = null;

/** Makes every codec ready; must have resolved before `compress` or `decompress` is called. Repeated calls cost nothing. */
export async function loadCompression(): Promise<void> {
  zstd ??= nodeZstd() ?? (await wasmZstd());
}

function nodeZstd(): Zstd | null {
  const { zstdCompressSync, zstdDecompressSync } = zlib as ZlibWithZstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return null;
  return {
    compress: (bytes) => zstdCompressSync(bytes),
    decompress: (bytes, maxBytes) => zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, maxBytes) }),
  };
}

async function wasmZstd(): Promise<Zstd> {
  const wasm = await import('@bokuweb/zstd-wasm');
  await wasm.init();
  return {
    compress: (bytes) => wasm.compress(bytes),
    decompress: (bytes, maxBytes) => wasm.decompress(bytes, { defaultHeapSize: Math.max(1, maxBytes) }),
  };
}

function loadedZstd(): Zstd {
  if (zstd === null) throw new Error('loadCompression() has not been awaited');
  return zstd;
}

/** Compresses as Kafka's own clients do (snappy as a raw block, as librdkafka). */
export function compress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return zlib.gzipSync(bytes);
    case 'snappy':
      return snappy.compressSync(bytes);
    case 'lz4':
      return lz4.compressFrameSync(bytes);
    case 'zstd':
      return Buffer.from(loadedZstd().compress(bytes));
  }
}

/**
 * Decompresses the records of one batch.
 * @param maxBytes limit of the result; memory beyond it and one block of the format is never taken.
 * @throws SourceError `source.corrupt` where the bytes are damaged or would exceed the limit; nothing else.
 */
export function decompress(codec: Codec, bytes: Buffer, maxBytes: number = maxBatchBytes): Buffer {
  if (codec === 'none') return bytes;
  try {
    const raw = decompressors[codec](bytes, maxBytes);
    if (raw.length > maxBytes) throw new Overflow();
    return raw;
  } catch (error) {
    if (isOverflow(error)) {
      throw corrupt(`a batch compressed with ${codec} decompresses to more than ${maxBytes} bytes`, {
        codec,
        maxBytes,
      });
    }
    throw corrupt(`a batch compressed with ${codec} cannot be decompressed`, { codec }, error);
  }
}

const decompressors: Readonly<Record<Exclude<Codec, 'none'>, (bytes: Buffer, maxBytes: number) => Buffer>> = {
  gzip: (bytes, maxBytes) =>
    zlib.gunzipSync(bytes, { chunkSize: gunzipChunkBytes(bytes), maxOutputLength: Math.max(1, maxBytes) }),
  snappy: unsnappy,
  lz4(bytes, maxBytes) {
    const bounds = lz4Bounds(bytes);
    refuseBomb(bounds, maxBytes);
    return lz4.decompressFrameSync(bytes.subarray(0, bounds.frameBytes));
  },
  zstd(bytes, maxBytes) {
    const bounds = zstdBounds(bytes);
    refuseBomb(bounds, maxBytes);
    const raw = loadedZstd().decompress(bytes.subarray(0, bounds.frameBytes), bounds.maxDecodedBytes);
    return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  },
};

const largestChunkBytes = 1 << 20;

/** What zlib takes for its output at once: as much as the last four bytes promise, which it would else find out in pieces. */
function gunzipChunkBytes(bytes: Buffer): number {
  const promised = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
  // One more than is needed: a chunk that is full makes zlib take another one.
  return Math.min(largestChunkBytes, Math.max(zlib.constants.Z_MIN_CHUNK, promised + 1));
}

function refuseBomb(bounds: FrameBounds, maxBytes: number): void {
  if (bounds.maxDecodedBytes - bounds.blockBytes > maxBytes) throw new Overflow();
}

/** The output would exceed its limit. */
class Overflow extends Error {}

function isOverflow(error: unknown): boolean {
  if (error instanceof Overflow) return true;
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}

/** Header of snappy-java's stream, which Java producers write around raw blocks. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const xerialHeadBytes = 16;

function unsnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return unsnapBlock(bytes, maxBytes);
  const blocks: Buffer[] = [];
  let leftBytes = maxBytes;
  for (let at = xerialHeadBytes; at < bytes.length;) {
    const size = bytes.readInt32BE(at);
    if (size < 0 || at + 4 + size > bytes.length) throw new Error('a block past the end of its stream');
    const block = unsnapBlock(bytes.subarray(at + 4, at + 4 + size), leftBytes);
    leftBytes -= block.length;
    blocks.push(block);
    at += 4 + size;
  }
  return blocks.length === 1 && blocks[0] !== undefined ? blocks[0] : Buffer.concat(blocks);
}

function unsnapBlock(bytes: Buffer, maxBytes: number): Buffer {
  // The library allocates what the block claims, before it looks at the rest.
  if (claimedSnappyBytes(bytes) > maxBytes) throw new Overflow();
  const raw = snappy.uncompressSync(bytes);
  return typeof raw === 'string' ? Buffer.from(raw) : raw;
}

/** The varint at the head of a raw snappy block: its decompressed length. */
function claimedSnappyBytes(bytes: Buffer): number {
  let length = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes.readUInt8(index);
    length += (byte & 127) * 2 ** (7 * index);
    if (byte < 128) break;
  }
  return length;
}
