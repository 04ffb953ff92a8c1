import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import snappy from 'snappy';
import { SourceError } from '../../../src/errors.ts';
import { codecs, compress, decompress, loadCompression } from '../../../src/sources/record-batch/compression.ts';

before(loadCompression);

const compressing = codecs.filter((codec) => codec !== 'none');

function isCorrupt(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'source.corrupt';
}

/** What Java's producers write: a stream header, then raw blocks behind their lengths. */
function xerial(blocks: readonly Buffer[]): Buffer {
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const parts = blocks.flatMap((block) => {
    const packed = snappy.compressSync(block);
    const length = Buffer.alloc(4);
    length.writeInt32BE(packed.length);
    return [length, packed];
  });
  return Buffer.concat([head, ...parts]);
}

test('loadCompression may be called again', async () => {
  await loadCompression();
});

for (const codec of codecs) {
  describe(`the codec ${codec}`, () => {
    test('gives back any bytes', () => {
      const run = (bytes: Uint8Array): void => {
        const plain = Buffer.from(bytes);
        assert.deepEqual(decompress(codec, compress(codec, plain)), plain);
      };
      fc.assert(fc.property(fc.uint8Array({ maxLength: 5000, size: 'max' }), run), { seed: 3, numRuns: 50 });
    });

    test('gives back several megabytes', () => {
      const plain = Buffer.alloc(5_000_000);
      for (let index = 0; index < plain.length; index += 3) plain[index] = index % 251;
      assert.ok(decompress(codec, compress(codec, plain)).equals(plain));
    });
  });
}

for (const codec of compressing) {
  describe(`the codec ${codec}, against hostile bytes`, () => {
    test('takes exactly the limit and refuses one byte more', () => {
      const packed = compress(codec, Buffer.alloc(300_000, 7));
      assert.equal(decompress(codec, packed, 300_000).length, 300_000);
      assert.throws(() => decompress(codec, packed, 299_999), isCorrupt);
    });

    test('refuses a bomb without unpacking it', () => {
      const bomb = compress(codec, Buffer.alloc(60_000_000));
      const before = process.memoryUsage().rss;
      assert.throws(() => decompress(codec, bomb, 1_000_000), /more than 1000000 bytes/);
      assert.ok(process.memoryUsage().rss - before < 30_000_000);
    });

    test('damaged, cut and random bytes end in a typed error or in bytes within the limit', () => {
      const packed = compress(codec, Buffer.from('a reading of a sensor, again and again '.repeat(50)));
      const damage = fc.record({ at: fc.nat(packed.length - 1), to: fc.nat(255), cut: fc.nat(packed.length) });
      const attempt = (bytes: Buffer): void => {
        try {
          assert.ok(decompress(codec, bytes, 10_000).length <= 10_000);
        } catch (error) {
          assert.ok(isCorrupt(error), String(error));
        }
      };
      const run = ({ at, to, cut }: { at: number; to: number; cut: number }, noise: Uint8Array): void => {
        const bytes = Buffer.from(packed);
        bytes[at] = to;
        attempt(bytes);
        attempt(packed.subarray(0, cut));
        attempt(Buffer.from(noise));
        attempt(Buffer.concat([packed.subarray(0, 7), noise]));
      };
      fc.assert(fc.property(damage, fc.uint8Array({ maxLength: 80 }), run), { seed: 5, numRuns: 300 });
      assert.throws(() => decompress(codec, Buffer.alloc(3)), isCorrupt);
    });
  });
}

test('snappy unwraps the framing of Java producers', () => {
  const blocks = [Buffer.from('first'), Buffer.alloc(40_000, 1), Buffer.from('last')];
  assert.deepEqual(decompress('snappy', xerial(blocks)), Buffer.concat(blocks));
  assert.deepEqual(decompress('snappy', xerial([])), Buffer.alloc(0));
});

test('snappy counts all blocks of a framed stream against the limit', () => {
  const stream = xerial([Buffer.alloc(600), Buffer.alloc(600)]);
  assert.throws(() => decompress('snappy', stream, 1000), /more than 1000 bytes/);
  assert.throws(() => decompress('snappy', stream.subarray(0, stream.length - 1), 5000), isCorrupt);
});

test('an LZ4 frame of several blocks with a checksum and trailing bytes is read to its end mark', () => {
  const plain = Buffer.from('0123456789'.repeat(20_000));
  const packed = compress('lz4', plain);
  assert.ok(decompress('lz4', Buffer.concat([packed, Buffer.from('rest')])).equals(plain));
});

test('frames that claim more than their blocks can hold are refused', () => {
  const lz4 = Buffer.from('04224d18684000e1f505000000008200000000', 'hex');
  assert.throws(() => decompress('lz4', lz4), isCorrupt);
  // Single segment, eight bytes of content size, one raw block of one byte.
  const zstd = Buffer.from('28b52ffde0ffffffffffffff7f09000041', 'hex');
  assert.throws(() => decompress('zstd', zstd), isCorrupt);
});

test('a Zstandard frame without a content size is read, as streaming producers write it', (context) => {
  // Raw blocks "ab" and a run of 5 "c": magic, descriptor 0, window 0, block headers and bodies.
  const frame = Buffer.from('28b52ffd000010000061622b000063', 'hex');
  assert.equal(decompress('zstd', frame).toString(), 'abccccc');
  assert.throws(() => decompress('zstd', frame, 6), isCorrupt);
  context.diagnostic(`zstd in zlib: ${'zstdDecompressSync' in zlib}`);
});
