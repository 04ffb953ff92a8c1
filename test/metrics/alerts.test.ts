import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { alertNames, alerts, type AlertName, type AlertOptions } from '../../src/metrics/alerts.ts';
import { metricDefinitions, type MetricDefinition } from '../../src/metrics/definitions.ts';
import { metric, processMetrics, total } from '../../src/metrics/promql.ts';
import { inhibitRules, prometheusRules } from '../../src/metrics/rule-files.ts';
import { projectRoot, temporaryDirectory } from '../support/command.ts';
import { missing } from '../support/requirements.ts';
import { toolOutput } from '../support/watchers.ts';
import { alertCases, healthy, lastMinute, type History } from './alert-cases.ts';

const options: AlertOptions = { freshnessSeconds: 60, silenceMinutes: 10, timeScale: 1 };
const table = alerts(options);
const runbook = 'docs/runbook.md';

suite('metric', () => {
  test('writes selectors of what the definitions hold, and the compiler refuses the rest', () => {
    assert.equal(metric('millrace_loss', { model: 'main' }), 'millrace_loss{model="main"}');
    assert.equal(
      metric('millrace_score', { metric: 'mae', model: { not: 'baseline' } }),
      'millrace_score{metric="mae",model!="baseline"}',
    );
    assert.equal(
      metric('millrace_score', { metric: ['mae', 'accuracy'] }, 'instance="a"'),
      'millrace_score{metric=~"mae|accuracy",instance="a"}',
    );
    assert.equal(total('millrace_lag_records', ['partition']), 'sum without (partition) (millrace_lag_records)');
    // @ts-expect-error no such metric
    metric('millrace_lag');
    // @ts-expect-error no such label
    metric('millrace_loss', { sensor: 'a' });
    // @ts-expect-error no such value in the closed set
    metric('millrace_score', { metric: 'mse' });
    // @ts-expect-error a histogram has no sample of its own name
    metric('millrace_step_seconds');
  });
});

suite('alerts', () => {
  test('are those named, in their order, and none explains itself', () => {
    assert.deepEqual(Object.keys(table), alertNames);
    for (const [name, { explains = [] }] of Object.entries(table))
      assert.ok(!explains.includes(name as AlertName), name);
  });

  test('each has its section in the runbook, and each section of the runbook its alert', () => {
    const text = readFileSync(join(projectRoot, runbook), 'utf8');
    const sections = text.split(/^## /m).slice(1);
    assert.deepEqual(
      sections.map((section) => section.split('\n')[0]),
      [...alertNames],
    );
    for (const section of sections) {
      for (const part of ['**Means**', '**Look at**', '**Do**'])
        assert.ok(section.includes(part), `${part} in ${section}`);
    }
  });
});

suite('rule files', { skip: missing('prometheus') ?? false }, () => {
  test('promtool accepts the rules, of every scale', (t) => {
    const dir = temporaryDirectory(t);
    for (const timeScale of [1, 1 / 60, 1 / 700]) {
      const file = join(dir, 'millrace.rules.yml');
      writeFileSync(file, prometheusRules({ ...options, timeScale, runbook }));
      assert.match(toolOutput('promtool', ['check', 'rules', '--lint-fatal', file]), /SUCCESS: 22 rules found/);
    }
  });

  test('each alert fires alone where it should, and none where it nearly should', (t) => {
    const dir = temporaryDirectory(t);
    const rules = join(dir, 'millrace.rules.yml');
    writeFileSync(rules, prometheusRules({ ...options, runbook }));
    const file = join(dir, 'tests.yml');
    writeFileSync(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [unitTest()] }));
    assert.match(toolOutput('promtool', ['test', 'rules', file]), /SUCCESS/);
  });

  test(
    'amtool accepts the inhibitions in a configuration',
    { skip: missing('prometheus-alertmanager') ?? false },
    (t) => {
      const file = join(temporaryDirectory(t), 'alertmanager.yml');
      const fragment = parse(inhibitRules(options)) as object;
      writeFileSync(file, stringify({ route: { receiver: 'none' }, receivers: [{ name: 'none' }], ...fragment }));
      assert.match(toolOutput('amtool', ['check-config', file]), /9 inhibit rules/);
    },
  );

  test('the cases are made of series that Millrace has', () => {
    const known = new Map<string, MetricDefinition | null>(metricDefinitions.map((each) => [each.name, each]));
    for (const name of [...processMetrics, 'up', 'millrace_step_seconds_count']) known.set(name, null);
    const series = [healthy, ...Object.values(alertCases).flatMap(({ fires, silent }) => [...fires, ...silent])];
    for (const name of new Set(series.flatMap((each) => Object.keys(each)))) {
      const [, base = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(name) ?? [];
      assert.ok(known.has(base), name);
      const names = [...labels.matchAll(/(\w+)=/g)].map(([, label]) => label);
      assert.deepEqual(names.sort(), Object.keys(known.get(base)?.labels ?? {}).sort(), name);
    }
  });
});

/** One test of promtool, in which each case is a process of its own: which alerts fire at the last minute. */
function unitTest(): unknown {
  const cases = Object.entries(alertCases).flatMap(([alertname, { fires, silent }]) => [
    ...fires.map((changes, index) => ({ instance: `${alertname} fires ${index}`, changes, firing: [alertname] })),
    ...silent.map((changes, index) => ({ instance: `${alertname} is silent ${index}`, changes, firing: [] })),
  ]);
  return {
    interval: '1m',
    input_series: [{ instance: 'all is well', changes: {} }, ...cases].flatMap(({ instance, changes }) =>
      Object.entries({ ...healthy, ...changes }).map(([series, history]) => ({
        series: scraped(series, instance),
        values: valuesOf(history),
      })),
    ),
    promql_expr_test: [
      {
        expr: 'count by (instance, alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${lastMinute}m`,
        exp_samples: cases.flatMap(({ instance, firing }) =>
          firing.map((alertname) => ({ labels: `{instance="${instance}",alertname="${alertname}"}`, value: 1 })),
        ),
      },
    ],
  };
}

function scraped(series: string, instance: string): string {
  const [name = '', labels = '}'] = series.split('{');
  return `${name}{job="millrace",instance="${instance}",${labels}`;
}

/** A series that ends is marked stale, as a failed scrape marks it. */
function valuesOf(history: History): string {
  const values = Array.from({ length: lastMinute + 1 }, (_, minute) => history(minute));
  return values.map((value, at) => value ?? ((values[at - 1] ?? null) === null ? '_' : 'stale')).join(' ');
}
