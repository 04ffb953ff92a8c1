import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { simulate } from '../../src/sensors/simulate.ts';

const fleet = (seed: number, sensors = 7): ReturnType<typeof simulate> =>
  simulate({ sensors, seed, topic: 'turbine.readings' });

suite('simulate', () => {
  test('record n depends on the seed and n alone', () => {
    const forward = fleet(3);
    const backward = fleet(3);
    const numbers = Array.from({ length: 40 }, (_, n) => n * 13);
    assert.deepEqual(
      numbers.map((n) => forward.value(n)),
      numbers
        .toReversed()
        .map((n) => backward.value(n))
        .reverse(),
    );
    assert.notDeepEqual(fleet(4).value(5), forward.value(5));
  });

  test('sensors take turns, each with its own numbers, in the order of event time', () => {
    const readings = fleet(1);
    let before = -Infinity;
    for (let n = 0; n < 70; n++) {
      const { sensorId, seq, measuredAt } = readings.value(n);
      assert.equal(sensorId, `sensor-000${n % 7}`);
      assert.equal(readings.key(n), sensorId);
      assert.equal(seq, Math.floor(n / 7));
      assert.ok(typeof measuredAt === 'number' && Number.isInteger(measuredAt) && measuredAt > before);
      before = measuredAt;
    }
  });

  test('readings of one sensor are evenly spaced, so that a horizon finds its label exactly', () => {
    const readings = fleet(1);
    const times = [0, 7, 14].map((n) => Number(readings.value(n)['measuredAt']));
    assert.deepEqual([times[1]! - times[0]!, times[2]! - times[1]!], [10_000, 10_000]);
  });

  test('values are what such sensors say', () => {
    const readings = fleet(2);
    const between: Readonly<Record<string, readonly [number, number]>> = {
      temperature: [-5, 45],
      humidity: [5, 100],
      pressure: [990, 1040],
      vibration: [0, 4],
      load: [0, 1],
      power: [-50, 1400],
    };
    for (let n = 0; n < 20_000; n += 3) {
      const value = readings.value(n);
      for (const [field, [low, high]] of Object.entries(between)) {
        const number = Number(value[field]);
        assert.ok(number >= low && number <= high, `${field} ${number} of record ${n}`);
      }
    }
  });

  test('power follows load and temperature, and more than a straight line of load', () => {
    const readings = fleet(2);
    const rows = Array.from({ length: 7000 }, (_, n) => readings.value(n));
    const numbers = (field: string): number[] => rows.map((row) => Number(row[field]));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [load, power] = [numbers('load'), numbers('power')];
    const [meanLoad, meanPower] = [mean(load), mean(power)];
    const covariance = mean(load.map((value, index) => (value - meanLoad) * (power[index]! - meanPower)));
    const loadVariance = mean(load.map((value) => (value - meanLoad) ** 2));
    const powerVariance = mean(power.map((value) => (value - meanPower) ** 2));
    const explained = covariance ** 2 / (loadVariance * powerVariance);
    assert.ok(explained > 0.7 && explained < 0.99, `load alone explains ${explained}`);
  });

  test('says what it offers', () => {
    const readings = fleet(1);
    assert.equal(readings.count, Infinity);
    assert.equal(readings.schema.name, 'turbine.readings');
    assert.deepEqual(
      readings.schema.fields.map((field) => field.name),
      Object.keys(readings.value(0)),
    );
    assert.deepEqual(
      [readings.keyField, readings.timeField, readings.targetField],
      ['sensorId', 'measuredAt', 'power'],
    );
  });

  test('another field may be the key', () => {
    const readings = simulate({ sensors: 3, seed: 1, topic: 't', keyField: 'site' });
    assert.equal(readings.key(2), readings.value(2)['site']);
    assert.throws(() => simulate({ sensors: 3, seed: 1, topic: 't', keyField: 'nothing' }), /--key: there is no field/);
    assert.throws(() => simulate({ sensors: 3, seed: 1, topic: 't', timeField: 'x' }), /--time: there is no field/);
  });
});
