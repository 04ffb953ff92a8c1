import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { endServer, freePorts, startServer, untilReady } from './kafka/server-process.ts';

/** A server that a test started. */
export interface Watcher {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export interface PrometheusOptions {
  readonly dir: string;
  /** What to scrape, as `host:port`. */
  readonly target: string;
  /** A file of rules. */
  readonly rules?: string;
  /** Where alerts are sent, as a URL. */
  readonly alertmanager?: string;
}

/** What a tool such as promtool prints of a good thing; fails with what it says of a bad one. */
export function toolOutput(tool: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8', input });
  assert.ifError(error);
  assert.equal(status, 0, stdout + stderr);
  return stdout + stderr;
}

/** A real Prometheus that scrapes twice a second, judges its rules as often and keeps exemplars. */
export async function startPrometheus(options: PrometheusOptions): Promise<Watcher> {
  const { dir, target, rules, alertmanager } = options;
  const [port = 0] = await freePorts(1);
  const config = join(dir, 'prometheus.yml');
  const interval = '500ms';
  // JSON is YAML too.
  const document = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    scrape_configs: [{ job_name: 'millrace', static_configs: [{ targets: [target] }] }],
    ...(rules !== undefined && { rule_files: [rules] }),
    ...(alertmanager !== undefined && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    }),
  };
  writeFileSync(config, JSON.stringify(document));
  const address = `127.0.0.1:${port}`;
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(dir, 'tsdb')}`];
  args.push('--enable-feature=exemplar-storage');
  return startWatcher('prometheus', [...args, `--web.listen-address=${address}`], address, dir);
}

/** A real Alertmanager that inhibits as `inhibitRules` say and posts what is left to `webhook` at once. */
export async function startAlertmanager(dir: string, inhibitRules: unknown, webhook: string): Promise<Watcher> {
  const [port = 0] = await freePorts(1);
  const config = join(dir, 'alertmanager.yml');
  const route = {
    receiver: 'webhook',
    group_by: ['...'],
    group_wait: '1s',
    group_interval: '1s',
    repeat_interval: '1h',
  };
  const receivers = [{ name: 'webhook', webhook_configs: [{ url: webhook, send_resolved: true }] }];
  writeFileSync(config, JSON.stringify({ route, receivers, inhibit_rules: inhibitRules }));
  const address = `127.0.0.1:${port}`;
  const args = [`--config.file=${config}`, `--storage.path=${join(dir, 'alertmanager')}`, '--cluster.listen-address='];
  return startWatcher('prometheus-alertmanager', [...args, `--web.listen-address=${address}`], address, dir);
}

async function startWatcher(command: string, args: readonly string[], address: string, dir: string): Promise<Watcher> {
  const server = startServer(command, args, join(dir, `${command}.log`));
  const url = `http://${address}`;
  await untilReady(server, async () => {
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    return answer?.ok ?? false;
  });
  return { url, stop: () => endServer(server, 'SIGTERM') };
}

/** One alert as Alertmanager posts it. */
export interface Notice {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A webhook, with all that was posted to it so far. */
export async function startWebhook(): Promise<Watcher & { readonly notices: readonly Notice[] }> {
  const notices: Notice[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request
      .setEncoding('utf8')
      .on('data', (text: string) => (body += text))
      .on('end', () => {
        notices.push(...(JSON.parse(body) as { readonly alerts: readonly Notice[] }).alerts);
        response.end();
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.close().closeAllConnections();
    await Promise.resolve();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, notices, stop };
}

/** The values of an instant query, by the labels of their series; throws what Prometheus says of a query that is wrong. */
export async function query(prometheus: Watcher, expr: string): Promise<readonly QueriedSeries[]> {
  const { result } = await ask<{ readonly result: QueriedSeries[] }>(prometheus, 'query', { query: expr });
  return result;
}

/** The exemplars of the last hour of all series in a query; throws as `query` does. */
export async function queryExemplars(prometheus: Watcher, expr: string): Promise<readonly QueriedExemplar[]> {
  const [start, end] = [Date.now() / 1000 - 3600, Date.now() / 1000 + 60].map(String) as [string, string];
  const asked = { query: expr, start, end };
  const series = await ask<readonly { readonly exemplars: QueriedExemplar[] }[]>(prometheus, 'query_exemplars', asked);
  return series.flatMap(({ exemplars }) => exemplars);
}

async function ask<Data>({ url }: Watcher, what: string, asked: Record<string, string>): Promise<Data> {
  const response = await fetch(`${url}/api/v1/${what}?${new URLSearchParams(asked).toString()}`);
  const answer = (await response.json()) as { readonly error?: string; readonly data?: Data };
  if (answer.data === undefined) throw new Error(`${asked['query'] ?? ''}: ${answer.error ?? response.statusText}`);
  return answer.data;
}

export interface QueriedExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

export interface QueriedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}
