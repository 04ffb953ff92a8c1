import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageMeter } from '../../src/serving/stage-meter.ts';

const ring = { depth: 3, slots: 4 };

test('shares are of the time that passed within the window', () => {
  const meter = new StageMeter(5000);
  assert.equal(meter.shares(), null);
  for (let ms = 0; ms <= 20_000; ms += 100) {
    meter.sample(ms, () => ({ mainBusySeconds: (0.5 * ms) / 1000, ring }));
    // The step takes all of the first ten seconds and a quarter of the rest.
    meter.add('step', ms < 10_000 ? 0.1 : 0.025);
    meter.add('decode', 0.01);
  }
  const { step, decode, operators, main, ring: fill } = meter.shares()!;
  for (const [value, expected] of [
    [step, 0.25],
    [decode, 0.1],
    [operators, 0],
    [main, 0.5],
    [fill, 0.75],
  ] as const) {
    assert.ok(Math.abs(value - expected) < 0.01, `${value}, expected ${expected}`);
  }
});

test('less than a second says nothing, a stop is seen, and no share is above 1', () => {
  const meter = new StageMeter(5000);
  const load = () => ({ mainBusySeconds: 0, ring: { depth: 0, slots: 0 } });
  meter.sample(0, load);
  meter.add('step', 30);
  meter.sample(900, load);
  assert.equal(meter.shares(), null);
  meter.sample(1200, load);
  assert.equal(meter.shares()?.step, 1);
  assert.equal(meter.shares()?.ring, 0);
  for (let ms = 1200; ms < 10_000; ms += 300) meter.sample(ms, load);
  assert.equal(meter.shares()?.step, 0);
});

test('the load is asked for only where a sample is due', () => {
  const meter = new StageMeter(5000);
  let asked = 0;
  for (let ms = 0; ms < 5000; ms += 1) {
    meter.sample(ms, () => {
      asked += 1;
      return { mainBusySeconds: 0, ring };
    });
  }
  assert.equal(asked, 20);
});
