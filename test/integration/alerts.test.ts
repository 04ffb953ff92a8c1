import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { inhibitRules, prometheusRules } from '../../src/metrics/rule-files.ts';
import { startCommand, temporaryDirectory, until, type RunningCommand } from '../support/command.ts';
import { fleetPipeline, metricOf, pageOf, produceFleet } from '../support/kafka/kafka-fleet.ts';
import { missing } from '../support/requirements.ts';
import {
  query,
  startAlertmanager,
  startPrometheus,
  startWebhook,
  toolOutput,
  type Watcher,
} from '../support/watchers.ts';

/** Minutes of the rules become seconds. */
const options = { freshnessSeconds: 60, silenceMinutes: 10, timeScale: 1 / 60, runbook: 'docs/runbook.md' };
const topic = 'readings';

describe('alerts', { skip: missing('prometheus', 'prometheus-alertmanager') ?? false }, () => {
  test('no more records is a silent source, a held trainer is a stalled one, and each is told by itself', async (t) => {
    const dir = temporaryDirectory(t);
    const stops: (() => unknown)[] = [];
    t.after(() => Promise.all(stops.map((stop) => stop())));
    const log = join(dir, 'log');
    const hold = join(dir, 'hold');
    const produce = (): RunningCommand =>
      startCommand(produceFleet(dir, ['--log', log, '--topic', topic], 1e9, ['--rate', '500']));
    const pipeline = fleetPipeline(dir, 'fleet', { log: { dir: log, topic } });

    let producer = produce();
    const hook = fileURLToPath(new URL('../support/hold-trainer.cjs', import.meta.url));
    const command = startCommand(['run', pipeline.file], {
      env: { NODE_OPTIONS: `--require ${hook}`, HOLD_TRAINER: hold },
    });
    stops.push(() => {
      for (const each of [producer, command]) each.kill('SIGKILL');
    });
    const page = await pageOf(command);
    const webhook = await startWebhook();
    const alertmanager = await startAlertmanager(dir, inhibitionsOf(), webhook.url);
    const rules = join(dir, 'millrace.rules.yml');
    writeFileSync(rules, prometheusRules(options));
    const prometheus = await startPrometheus({
      dir,
      target: new URL(page).host,
      rules,
      alertmanager: alertmanager.url,
    });
    stops.push(webhook.stop, alertmanager.stop, prometheus.stop);
    const told = (): readonly string[] =>
      webhook.notices.map(({ status, labels }) => `${labels['alertname'] ?? ''} ${status}`);
    await until(
      async () => ((await metricOf(page, 'millrace_lifetime_steps'))['{model="main"}'] ?? 0) > 0,
      'it learns',
    );

    assert.equal(toolOutput('promtool', ['check', 'metrics'], await (await fetch(`${page}/metrics`)).text()), '');

    producer.kill('SIGTERM');
    await until(() => told().length > 0, 'somebody is told of the silence');
    assert.deepEqual(told(), ['MillraceSourceSilent firing']);
    assert.deepEqual(await firing(prometheus), ['MillraceSourceSilent']);
    assert.equal(webhook.notices[0]?.annotations['runbook_url'], 'docs/runbook.md#millracesourcesilent');
    await producer.ended;

    producer = produce();
    await until(() => told().length > 1, 'somebody is told that it is over');
    assert.deepEqual(told(), ['MillraceSourceSilent firing', 'MillraceSourceSilent resolved']);

    writeFileSync(hold, '');
    await until(() => told().length > 2, 'somebody is told of the stall');
    assert.deepEqual(told().slice(2), ['MillraceTrainerStalled firing']);
    assert.deepEqual(await firing(prometheus), ['MillraceTrainerStalled']);

    rmSync(hold);
    await until(() => told().length > 3, 'somebody is told that it learns again');
    assert.deepEqual(told().slice(3), ['MillraceTrainerStalled resolved']);

    producer.kill('SIGTERM');
    command.kill('SIGTERM');
    assert.deepEqual([(await producer.ended).code, (await command.ended).code], [0, 0]);
  });
});

function inhibitionsOf(): unknown {
  return (parse(inhibitRules(options)) as { readonly inhibit_rules: unknown }).inhibit_rules;
}

async function firing(prometheus: Watcher): Promise<readonly (string | undefined)[]> {
  const series = await query(prometheus, 'ALERTS{alertstate="firing"}');
  return series.map(({ metric }) => metric['alertname']);
}
