import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bottleneckOf, type BottleneckFacts } from '../../src/serving/bottleneck.ts';
import type { StageShares } from '../../src/serving/stage-meter.ts';

const idle: StageShares = { decode: 0, operators: 0, step: 0, checkpoint: 0, main: 0.01, ring: 0 };

function bound(shares: Partial<StageShares>, facts: Partial<BottleneckFacts> = {}) {
  const given = { shares: { ...idle, ...shares }, rowsPerSecond: 1000, lagRecords: 0, ...facts };
  return bottleneckOf(given);
}

suite('what bounds throughput', () => {
  test('nothing is claimed before a second was measured', () => {
    const { bound: stage, shares } = bottleneckOf({ shares: null, rowsPerSecond: 1000, lagRecords: 5000 });
    assert.deepEqual([stage, shares], ['unknown', null]);
  });

  test('a full trainer is the step, or the checkpoint where it pauses for longer', () => {
    assert.equal(bound({ step: 0.8 }).bound, 'step');
    assert.equal(bound({ step: 0.5, checkpoint: 0.3 }).bound, 'step');
    assert.equal(bound({ step: 0.3, checkpoint: 0.5 }).bound, 'checkpoint');
    assert.equal(bound({ step: 0.74 }).bound, 'none');
  });

  test('so is a trainer whose ring is full, however short its steps', () => {
    const { bound: stage, because } = bound({ step: 0.55, ring: 0.95, main: 0.9, decode: 0.8 });
    assert.equal(stage, 'step');
    assert.equal(because, 'the trainer is in its steps 55 % of the time, and the ring before it is full');
  });

  test('a full main thread is its most costly part; what no stage was timed for is reading', () => {
    assert.equal(bound({ main: 0.9, decode: 0.6, operators: 0.2 }).bound, 'decode');
    assert.equal(bound({ main: 0.9, decode: 0.2, operators: 0.6 }).bound, 'operators');
    const { bound: stage, because, shares } = bound({ main: 0.9, decode: 0.2, operators: 0.1 });
    assert.equal(stage, 'source');
    assert.equal(because, 'the main thread works 90 % of the time, 60 % on reading');
    assert.ok(Math.abs(shares!.source - 0.6) < 1e-12);
  });

  test('the source bounds only where records wait and both threads have time', () => {
    assert.equal(bound({ main: 0.2, step: 0.2 }, { lagRecords: 50_000 }).bound, 'source');
    assert.equal(bound({ main: 0.2, step: 0.2 }, { lagRecords: 1000 }).bound, 'none');
    assert.equal(bound({ main: 0.2, step: 0.2 }, { lagRecords: null }).bound, 'none');
  });

  test('it is not known where records wait and no thread is full', () => {
    const { bound: stage, because } = bound({ main: 0.6, step: 0.6 }, { lagRecords: 50_000 });
    assert.equal(stage, 'unknown');
    assert.match(
      because,
      /^records wait, but no thread is full: the trainer works 60 % of the time, the main thread 60 %$/,
    );
  });

  test('without records it is idle', () => {
    assert.equal(bound({}, { rowsPerSecond: 0 }).because, 'idle: waiting for records');
  });
});
