import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { metricDefinitions } from '../../src/metrics/definitions.ts';
import { runForDocument, startCommand, temporaryDirectory, until } from '../support/command.ts';
import { fleetTopic, makeFleet } from '../support/fleet.ts';
import { pageOf, produceFleet, schemaFileIn } from '../support/kafka/kafka-fleet.ts';
import { startKafka } from '../support/kafka/start-kafka.ts';
import { missing } from '../support/requirements.ts';
import { query, queryExemplars, startPrometheus } from '../support/watchers.ts';

interface DashboardDocument {
  readonly uid: string;
  readonly panels: readonly PanelDocument[];
}

interface PanelDocument {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string; readonly exemplar?: boolean }[];
}

/** What Grafana puts in before it asks. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5s').replaceAll('$instance', '.+');
}

describe('dashboards', { skip: missing('prometheus', 'kafka-4.3.1') ?? false }, () => {
  test('every panel asks what a real Prometheus answers of a real run, and says what it shows', async (t) => {
    const { files } = (await runForDocument(['dashboards', '--out', temporaryDirectory(t), '--json'])) as {
      readonly files: readonly string[];
    };
    const dashboards = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as DashboardDocument);
    assert.deepEqual(
      dashboards.map(({ uid }) => uid),
      ['millrace-overview', 'millrace-pipeline', 'millrace-model', 'millrace-serving', 'millrace-process'],
    );
    for (const { panels } of dashboards) {
      assert.deepEqual(
        panels.map(({ id }) => id),
        panels.map((_, index) => index + 1),
      );
    }
    const panels = dashboards.flatMap((each) => each.panels).filter(({ type }) => type !== 'row');
    for (const { title, description = '' } of panels) {
      const isOurs = metricDefinitions.some(({ help }) => description.includes(help));
      assert.ok(isOurs || /^(Uptime|CPU cores used|Event loop lag, p99)$/.test(title), `${title} says nothing`);
    }

    const fleet = makeFleet(t);
    const kafka = await startKafka();
    t.after(() => kafka.stop());
    await runForDocument(produceFleet(fleet.dir, ['--brokers', kafka.bootstrap, '--topic', fleetTopic], 2000));
    const pipeline = fleet.pipeline('service', {
      source: { kafka: { brokers: [kafka.bootstrap], topics: [fleetTopic] } },
      decode: { avro: { schemaFile: schemaFileIn(fleet.dir) } },
      predict: { from: fleetTopic, to: 'predicted' },
    });
    const command = startCommand(['run', pipeline.file, '--json']);
    const target = new URL(await pageOf(command)).host;
    const prometheus = await startPrometheus({ dir: fleet.dir, target });
    t.after(async () => {
      command.kill('SIGKILL');
      await prometheus.stop();
    });
    for (const { title, targets = [] } of panels) {
      assert.ok(targets.length > 0, `${title} asks nothing`);
      for (const { expr } of targets) {
        const asked = filledIn(expr);
        assert.ok(!asked.includes('$'), asked);
        await until(async () => (await query(prometheus, asked)).length > 0, `${title}: ${asked} has a series`);
      }
    }

    const marked = panels.filter(({ targets = [] }) => targets.some(({ exemplar }) => exemplar === true));
    assert.deepEqual(
      marked.map(({ title }) => title),
      ['Step'],
    );
    const expr = filledIn(marked[0]?.targets?.find(({ exemplar }) => exemplar === true)?.expr ?? '');
    await until(async () => (await queryExemplars(prometheus, expr)).length > 0, `${expr} has an exemplar`);
    for (const { labels, value } of await queryExemplars(prometheus, expr)) {
      assert.ok(Number(value) > 0);
      assert.equal(labels['topic'], fleetTopic);
      assert.match(labels['partition'] ?? '', /^\d+$/);
      const [first = NaN, last = NaN] = (labels['offsets'] ?? '').split('-').map(Number);
      assert.ok(first >= 0 && last >= first && last < 2000, `offsets are ${labels['offsets']}`);
    }
  });
});
