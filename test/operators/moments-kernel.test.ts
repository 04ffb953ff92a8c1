import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RunningMoments } from '../../src/operators/running-moments.ts';
import { ReferenceMoments } from '../support/reference-rows.ts';

const value = fc.oneof(
  { arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }), weight: 8 },
  { arbitrary: fc.constantFrom(NaN, 0, -0, 1e150, -1e150, 5e-324, 7, 7, 7), weight: 4 },
);

/** Rows of a width, in blocks, and a memory that they may exceed. */
const stream = fc.integer({ min: 1, max: 9 }).chain((width) =>
  fc.record({
    isScaled: fc.array(fc.boolean(), { minLength: width, maxLength: width }),
    memory: fc.integer({ min: 2, max: 40 }),
    blocks: fc.array(fc.array(fc.array(value, { minLength: width, maxLength: width }), { maxLength: 40 }), {
      maxLength: 4,
    }),
  }),
);

function hex(values: Float32Array | Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}

test('pairs of columns come out bit by bit as each column by itself in plain JavaScript', () => {
  fc.assert(
    fc.property(stream, ({ isScaled, memory, blocks }) => {
      const moments = new RunningMoments(isScaled, memory);
      const plain = isScaled.map(() => new ReferenceMoments(memory));
      for (const rows of blocks) {
        const out = new Float32Array(rows.length * isScaled.length).fill(3);
        moments.normalize(Float64Array.from(rows.flat()), out, rows.length);
        const expected = rows.map((row) =>
          row.map((each, column) => {
            if (isScaled[column]) return plain[column]!.normalize(each);
            return Number.isNaN(each) ? 0 : each;
          }),
        );
        assert.equal(hex(out), hex(Float32Array.from(expected.flat())));
      }
      const { means, m2s, counts } = moments.snapshot().arrays as Record<string, Float64Array>;
      assert.equal(hex(means!), hex(Float64Array.from(plain, ({ mean }) => mean)));
      assert.equal(hex(m2s!), hex(Float64Array.from(plain, ({ m2 }) => m2)));
      assert.equal(hex(counts!), hex(Float64Array.from(plain, ({ count }) => count)));
    }),
    { seed: 77, numRuns: 300 },
  );
});

test('a block longer than a tile, and a row wider than a page, are done in parts', () => {
  for (const [width, rowCount] of [
    [2, 5000],
    [6000, 40],
  ] as const) {
    const features = Float64Array.from({ length: width * rowCount }, (_, index) => Math.sin(index) * 1000);
    const out = new Float32Array(features.length);
    new RunningMoments(Array<boolean>(width).fill(true), 1000).normalize(features, out, rowCount);
    for (const column of [0, width - 1]) {
      const plain = new ReferenceMoments(1000);
      for (let row = 0; row < rowCount; row += 1) {
        const place = row * width + column;
        assert.equal(out[place], Math.fround(plain.normalize(features[place]!)));
      }
    }
  }
});
