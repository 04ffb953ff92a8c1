import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateMeter } from '../../src/serving/rate-meter.ts';

test('a steady flow shows its rate', () => {
  const meter = new RateMeter();
  for (let ms = 0; ms <= 10_000; ms += 10) meter.add(5, ms);
  assert.ok(Math.abs(meter.perSecond(10_000) - 500) < 10);
});

test('the first rows are not blown up by the short time they took', () => {
  const meter = new RateMeter();
  meter.add(100, 0);
  assert.equal(meter.perSecond(1), 100);
});

test('the rate is 0 before anything came and once nothing came for a window', () => {
  const meter = new RateMeter(3000);
  assert.equal(meter.perSecond(0), 0);
  meter.add(100, 0);
  assert.equal(meter.perSecond(3001), 0);
});
