import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricDefinitions } from '../../src/metrics/definitions.ts';
import { metricsPage } from '../../src/metrics/metrics-page.ts';

test('the page has one row for each metric, the buckets of each histogram and the labels of its exemplars', () => {
  const page = metricsPage();
  for (const { name } of metricDefinitions) assert.match(page, new RegExp(`^\\| \`${name}\` \\|`, 'm'));
  assert.match(page, /^- `millrace_step_rows` \(rows\): 1, 2, 4,/m);
  assert.match(page, /^- `millrace_step_seconds`, `offsets`: /m);
});
