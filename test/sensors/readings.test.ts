import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avroName } from '../../src/sensors/readings.ts';

test('a name for Avro keeps letters, digits, underscores and dots, and starts no part with a digit', () => {
  assert.equal(avroName('turbine.readings'), 'turbine.readings');
  assert.equal(avroName('weather-2013'), 'weather_2013');
  assert.equal(avroName('2013 °F'), '_2013__F');
  assert.equal(avroName('a..1'), 'a._._1');
});
