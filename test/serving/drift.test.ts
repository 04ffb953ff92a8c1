import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { largestGap, movedShare } from '../../src/serving/drift.ts';

/** By its definition: at every value, the difference of the shares at or below it. */
function gapByDefinition(a: readonly number[], b: readonly number[]): number {
  const atOrBelow = (values: readonly number[], limit: number): number =>
    values.filter((value) => value <= limit).length / values.length;
  return Math.max(...[...a, ...b].map((value) => Math.abs(atOrBelow(a, value) - atOrBelow(b, value))));
}

test('the largest gap is that of the definition', () => {
  const sample = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(sample, sample, (a, b) => {
      const gap = largestGap(Float64Array.from(a).sort(), Float64Array.from(b).sort());
      assert.ok(Math.abs(gap - gapByDefinition(a, b)) < 1e-12);
    }),
    { seed: 1 },
  );
});

test('alike is 0, apart is 1', () => {
  assert.equal(largestGap(Float64Array.of(1, 2, 3), Float64Array.of(1, 2, 3)), 0);
  assert.equal(largestGap(Float64Array.of(1, 2), Float64Array.of(7)), 1);
  assert.equal(movedShare([0.5, 0.5, 0], [0.5, 0.5, 0]), 0);
  assert.equal(movedShare([1, 0], [0, 1]), 1);
  assert.equal(movedShare([0.75, 0.25], [0.5, 0.5]), 0.25);
});
