import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricDefinitions } from '../../src/metrics/definitions.ts';
import type { MetricDefinition } from '../../src/metrics/definitions.ts';

const definitions: readonly MetricDefinition[] = metricDefinitions;

test('names are unique, say their unit, and end in _total for counters alone', () => {
  assert.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length);
  for (const { name, type, unit } of definitions) {
    assert.match(name, /^millrace_[a-z]+(_[a-z]+)*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (unit === 'seconds' || unit === 'bytes') assert.match(name, new RegExp(`_${unit}(_total)?$`));
  }
});

test('histograms, and they alone, have ascending buckets and may have exemplars', () => {
  for (const { name, type, buckets, exemplar } of definitions) {
    assert.equal(buckets !== undefined, type === 'histogram', name);
    assert.ok(exemplar === undefined || type === 'histogram', name);
    assert.deepEqual(
      buckets,
      buckets?.toSorted((a, b) => a - b),
    );
  }
});
