import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Rows } from '../../src/trainer/learner.ts';
import { TargetScale } from '../../src/trainer/target-scale.ts';

function rowsOf(ownTargets: readonly number[]): Rows {
  const rowCount = ownTargets.length;
  return {
    rowCount,
    featureCount: 0,
    features: new Float32Array(0),
    keyIds: new Int32Array(rowCount),
    ownTargets: Float64Array.from(ownTargets),
    lastTargets: new Float64Array(rowCount),
  };
}

it('moments equal those of two passes over the labels', () => {
  const label = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.array(label, { minLength: 1 }), { minLength: 1 }), (parts) => {
      const scale = new TargetScale('value');
      for (const part of parts) {
        scale.stage(rowsOf(part), Float64Array.from(part));
        scale.commit();
      }
      const all = parts.flat();
      const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
      const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
      assert.ok(Math.abs(scale.mean - mean) <= 1e-6);
      if (variance > 1e-6) assert.ok(Math.abs(scale.deviation - Math.sqrt(variance)) <= 1e-6 * scale.deviation);
    }),
    { seed: 1, numRuns: 100 },
  );
});

it('predictions use the moments before a batch, its step those after, and nothing is kept without commit', () => {
  const scale = new TargetScale('value');
  const rows = rowsOf([1, 3]);
  const labels = Float64Array.of(1, 3);
  scale.stage(rows, labels);
  assert.deepEqual([...scale.originalUnits(rows, Float64Array.of(0, 1))], [0, 1]);
  assert.deepEqual([...scale.standardizedLabels(rows, labels)], [-1, 1]);
  scale.stage(rows, Float64Array.of(5, 5));
  scale.stage(rows, labels);
  scale.commit();
  assert.deepEqual([...scale.originalUnits(rows, Float64Array.of(0, 1))], [2, 3]);
});

it('a change is the label less the own target, and is added to it again', () => {
  const scale = new TargetScale('change');
  const rows = rowsOf([10, 20]);
  scale.stage(rows, Float64Array.of(11, 23));
  assert.deepEqual([...scale.standardizedLabels(rows, Float64Array.of(11, 23))], [-1, 1]);
  scale.commit();
  assert.deepEqual([...scale.originalUnits(rows, Float64Array.of(0, 1))], [12, 23]);
});

it('equal labels scale by 1', () => {
  const scale = new TargetScale('value');
  scale.stage(rowsOf([4, 4]), Float64Array.of(4, 4));
  scale.commit();
  assert.equal(scale.deviation, 1);
  assert.equal(scale.mean, 4);
});

it('a label beyond all measure is named and not learned, even if it is the first', () => {
  const scale = new TargetScale('value');
  const rows = rowsOf([0, 1, 3]);
  assert.deepEqual(scale.stage(rows, Float64Array.of(-1e200, 1, 3)), [0]);
  scale.commit();
  assert.equal(scale.mean, 2);
});
