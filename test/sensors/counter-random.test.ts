import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CounterRandom } from '../../src/sensors/counter-random.ts';

const draws = 20_000;

function moments(draw: (index: number) => number): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (let index = 0; index < draws; index++) {
    const value = draw(index);
    sum += value;
    squares += value * value;
  }
  const mean = sum / draws;
  return { mean, deviation: Math.sqrt(squares / draws - mean * mean) };
}

suite('CounterRandom', () => {
  test('gives one number for one seed, stream and index, in whatever order it is asked', () => {
    const first = new CounterRandom(7);
    const again = new CounterRandom(7);
    const forward = Array.from({ length: 50 }, (_, index) => first.uniform(3, index));
    const backward = Array.from({ length: 50 }, (_, index) => again.uniform(3, 49 - index)).reverse();
    assert.deepEqual(forward, backward);
  });

  test('gives other numbers for another seed, stream or index, above 2³² too', () => {
    const random = new CounterRandom(1);
    const numbers = [
      random.uniform(0, 5),
      random.uniform(1, 5),
      random.uniform(-1, 5),
      random.uniform(0, 6),
      random.uniform(0, 5 + 2 ** 32),
      random.uniform(0, 5 + 2 ** 40),
      new CounterRandom(0).uniform(0, 5),
      new CounterRandom(2).uniform(0, 5),
    ];
    assert.equal(new Set(numbers).size, numbers.length);
  });

  test('is uniform, and normal', () => {
    const random = new CounterRandom(42);
    const uniform = moments((index) => random.uniform(2, index));
    assert.ok(Math.abs(uniform.mean - 0.5) < 0.01);
    assert.ok(Math.abs(uniform.deviation - Math.sqrt(1 / 12)) < 0.01);
    const normal = moments((index) => random.normal(2, index));
    assert.ok(Math.abs(normal.mean) < 0.03);
    assert.ok(Math.abs(normal.deviation - 1) < 0.03);
  });

  test('a wave passes through its levels and never jumps', () => {
    const random = new CounterRandom(5);
    for (let time = 0; time < 20; time += 0.01) {
      const here = random.wave(1, time);
      assert.ok(here >= -1 && here < 1);
      assert.ok(Math.abs(random.wave(1, time + 0.01) - here) < 0.04);
    }
    assert.equal(random.wave(1, 4), 2 * random.uniform(1, 4) - 1);
  });
});
