import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { totalmem } from 'node:os';
import { suite, test } from 'node:test';
import { metricDefinitions } from '../../src/metrics/definitions.ts';
import type { MetricDefinition } from '../../src/metrics/definitions.ts';
import { metricsTelemetry } from '../../src/metrics/metrics-telemetry.ts';
import type { MetricsTelemetry } from '../../src/metrics/metrics-telemetry.ts';
import { Progress } from '../../src/progress.ts';
import type { TelemetryEvent } from '../../src/telemetry.ts';
import { tellAll } from '../../src/telemetry.ts';
import { batchObserved, modelReport } from '../support/step-reports.ts';

const nowMs = 1_700_000_000_000;

function metricsAfter(events: readonly TelemetryEvent[]): MetricsTelemetry {
  const progress = new Progress(() => nowMs);
  const metrics = metricsTelemetry(progress);
  const telemetry = tellAll([progress, metrics]);
  for (const event of events) telemetry.emit(event);
  return metrics;
}

/** Samples of the exposition by their whole name, labels in it. */
async function samplesOf(metrics: MetricsTelemetry): Promise<Map<string, number>> {
  const { body } = await metrics.expose();
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

const everything = {
  recordsRead: {
    type: 'recordsRead',
    topic: 'readings',
    partition: 3,
    records: 100,
    bytes: 8800,
    nextOffset: 100,
    endOffset: 140,
    newestTimestampMs: nowMs - 2000,
  },
  recordsRejected: { type: 'recordsRejected', reason: 'frame.magic', records: 4 },
  recordsFiltered: { type: 'recordsFiltered', reason: 'target.missing', records: 3 },
  valuesMissed: { type: 'valuesMissed', field: 'pressure', values: 5 },
  keysEvicted: { type: 'keysEvicted', keys: 2 },
  blockDecoded: { type: 'blockDecoded', rows: 96, seconds: 0.002 },
  blockDerived: { type: 'blockDerived', rows: 90, seconds: 0.0004 },
  blockNormalized: { type: 'blockNormalized', rows: 93, seconds: 0.0003 },
  batchSealed: { type: 'batchSealed', rows: 64, cause: 'rows' },
  batchObserved: batchObserved({
    rowCount: 64,
    learnedRows: 60,
    outcomes: { trained: 60, rejected: 1, unlabelled: 0, pending: 3 },
    oldestPendingMs: nowMs - 3_600_000,
    newestTimestampMs: nowMs - 1500,
    newestTimeMs: nowMs - 86_400_000,
    seconds: 0.004,
    models: {
      main: modelReport({
        loss: 0.25,
        metrics: { mae: 1.03, r2: null },
        recent: { mae: 0.97 },
        scored: 60,
        steps: 1,
        withheld: 1,
      }),
    },
    baseline: modelReport({ kind: 'lastValue', metrics: { mae: 1.2 }, scored: 60 }),
    rejectedRows: [{ originId: 0, offset: 9, keyId: 0, timeMs: 0, timestampMs: 0, target: 1e300, features: [] }],
    withheldInARow: 2,
  }),
  checkpointSaved: { type: 'checkpointSaved', id: 'c-1', step: 1, seconds: 0.03, pauseSeconds: 0.02, bytes: 4096 },
  checkpointFailed: { type: 'checkpointFailed', message: 'no space left' },
  checkpointDamaged: { type: 'checkpointDamaged', id: 'c-0', message: 'digest' },
  promotionDecided: {
    type: 'promotionDecided',
    decision: {
      action: 'held',
      version: 'checkpoint-000000000017',
      other: 'checkpoint-000000000012',
      message: 'on older rows its loss is 1300 % above (1100 to 1600 %)',
      recent: { rows: 1000, loss: 0.8, otherLoss: 1, change: -0.2, atLeast: -0.25, atMost: -0.15 },
      past: { rows: 400, loss: 1.4, otherLoss: 0.1, change: 13, atLeast: 11, atMost: 16 },
      atMs: nowMs,
    },
    serving: {
      served: { id: 'checkpoint-000000000012', step: 360, savedAtMs: nowMs - 150_000 },
      servedSinceMs: nowMs - 149_000,
      previous: 'checkpoint-000000000011',
      newest: { id: 'checkpoint-000000000017', step: 510, savedAtMs: nowMs },
      isPinned: true,
      heldInARow: 5,
    },
  },
  modelDegraded: { type: 'modelDegraded', message: 'op by op' },
  sourceJoined: { type: 'sourceJoined' },
  sourceInterrupted: { type: 'sourceInterrupted', message: 'connection refused' },
  sourceDegraded: { type: 'sourceDegraded', message: 'another version' },
  offsetsSkipped: { type: 'offsetsSkipped', topic: 'readings', partition: 0, from: 10, to: 25 },
  endOffsetSeen: { type: 'endOffsetSeen', topic: 'readings', partition: 3, endOffset: 150 },
  registryRetried: { type: 'registryRetried', message: 'connection refused' },
  predictionsAwaited: { type: 'predictionsAwaited', message: 'the first version' },
  predictionsJoined: { type: 'predictionsJoined' },
  predictionsInterrupted: { type: 'predictionsInterrupted', message: 'connection refused' },
  predictionsWritten: {
    type: 'predictionsWritten',
    predictions: 97,
    rejected: new Map([['key.missing', 3]]),
    seconds: 0.02,
    partitions: [{ topic: 'asked', partition: 1, nextOffset: 100, endOffset: 130 }],
  },
  predictionPartitionSeen: {
    type: 'predictionPartitionSeen',
    topic: 'asked',
    partition: 1,
    nextOffset: 100,
    endOffset: 140,
  },
  predictionOffsetsSkipped: { type: 'predictionOffsetsSkipped', topic: 'asked', partition: 0, from: 10, to: 15 },
} as const satisfies { [Type in TelemetryEvent['type']]: Extract<TelemetryEvent, { readonly type: Type }> };

/** What each event alone must change, as sample and value. */
const changes: { readonly [Type in TelemetryEvent['type']]: Readonly<Record<string, number>> } = {
  recordsRead: {
    millrace_records_read_total: 100,
    millrace_read_bytes_total: 8800,
    'millrace_lifetime_records{outcome="read"}': 100,
    'millrace_lifetime_records{outcome="pending"}': 100,
    'millrace_lag_records{topic="readings",partition="3"}': 40,
    millrace_lag_seconds: 2,
  },
  recordsRejected: {
    'millrace_dead_letters_total{reason="frame.magic"}': 4,
    'millrace_records_total{outcome="rejected"}': 4,
    'millrace_lifetime_records{outcome="rejected"}': 4,
  },
  recordsFiltered: {
    'millrace_filtered_records_total{reason="target.missing"}': 3,
    'millrace_records_total{outcome="filtered"}': 3,
  },
  valuesMissed: { 'millrace_missing_values_total{field="pressure"}': 5 },
  keysEvicted: { millrace_keys_evicted_total: 2 },
  blockDecoded: { millrace_decode_seconds_sum: 0.002, 'millrace_decode_seconds_bucket{le="0.0025"}': 1 },
  blockDerived: { millrace_derive_seconds_sum: 0.0004, millrace_derive_seconds_count: 1 },
  blockNormalized: { millrace_normalize_seconds_sum: 0.0003, millrace_normalize_seconds_count: 1 },
  batchSealed: { 'millrace_batches_total{cause="rows"}': 1 },
  batchObserved: {
    'millrace_records_total{outcome="trained"}': 60,
    'millrace_records_total{outcome="rejected"}': 1,
    'millrace_dead_letters_total{reason="training.nonFinite"}': 1,
    millrace_step_seconds_sum: 0.004,
    millrace_step_rows_sum: 60,
    'millrace_step_rows_bucket{le="32"}': 0,
    'millrace_step_rows_bucket{le="64"}': 1,
    millrace_last_step_timestamp_seconds: nowMs / 1000,
    millrace_freshness_seconds: 1.5,
    millrace_event_time_lag_seconds: 86_400,
    millrace_newest_learned_record_timestamp_seconds: nowMs / 1000 - 1.5,
    millrace_newest_learned_event_timestamp_seconds: nowMs / 1000 - 86_400,
    millrace_pending_labels: 3,
    millrace_oldest_pending_label_timestamp_seconds: nowMs / 1000 - 3600,
    millrace_withheld_steps_in_a_row: 2,
    'millrace_loss{model="main"}': 0.25,
    'millrace_score{model="main",metric="mae"}': 1.03,
    'millrace_recent_score{model="main",metric="mae"}': 0.97,
    'millrace_score{model="baseline",metric="mae"}': 1.2,
    'millrace_lifetime_scored_rows{model="main"}': 60,
    'millrace_lifetime_steps{model="main"}': 1,
    'millrace_lifetime_withheld_rows{model="main"}': 1,
  },
  checkpointSaved: {
    millrace_checkpoint_seconds_sum: 0.03,
    millrace_checkpoint_bytes: 4096,
    millrace_last_checkpoint_timestamp_seconds: nowMs / 1000,
  },
  checkpointFailed: { millrace_checkpoint_failures_total: 1 },
  checkpointDamaged: { millrace_damaged_checkpoints_total: 1 },
  promotionDecided: {
    'millrace_promotion_decisions_total{action="held"}': 1,
    millrace_served_version: 12,
    millrace_newest_version: 17,
    millrace_served_version_timestamp_seconds: nowMs / 1000 - 150,
    millrace_newest_version_timestamp_seconds: nowMs / 1000,
    millrace_versions_held_in_a_row: 5,
    millrace_served_version_pinned: 1,
    'millrace_candidate_loss_change_ratio{rows="recent",bound="median"}': -0.2,
    'millrace_candidate_loss_change_ratio{rows="recent",bound="upper"}': -0.15,
    'millrace_candidate_loss_change_ratio{rows="past",bound="lower"}': 11,
    'millrace_candidate_loss_change_ratio{rows="past",bound="upper"}': 16,
  },
  modelDegraded: {},
  sourceJoined: { millrace_source_joined: 1 },
  sourceInterrupted: { millrace_source_interruptions_total: 1, millrace_source_joined: 0 },
  sourceDegraded: {},
  offsetsSkipped: { millrace_offsets_skipped_total: 15 },
  endOffsetSeen: {},
  registryRetried: { millrace_registry_retries_total: 1 },
  predictionsAwaited: { millrace_predictions_joined: 0 },
  predictionsJoined: { millrace_predictions_joined: 1 },
  predictionsInterrupted: { millrace_prediction_interruptions_total: 1, millrace_predictions_joined: 0 },
  predictionsWritten: {
    'millrace_predictions_total{route="topic"}': 97,
    'millrace_prediction_dead_letters_total{reason="key.missing"}': 3,
    'millrace_prediction_lag_records{topic="asked",partition="1"}': 30,
    millrace_prediction_transaction_seconds_sum: 0.02,
  },
  predictionPartitionSeen: { 'millrace_prediction_lag_records{topic="asked",partition="1"}': 40 },
  predictionOffsetsSkipped: { millrace_prediction_offsets_skipped_total: 5 },
};

const info = {
  version: '0.1.0',
  pipeline: 'weather',
  configDigest: 'sha256:ab',
  backend: 'wasm',
  models: { main: { kind: 'mlp' }, shadow: { kind: 'linear' } },
  served: 'main',
  originOf: () => ({ topic: 'readings', partition: 3 }),
};

function metricsAfterEverything(): MetricsTelemetry {
  const metrics = metricsAfter(Object.values(everything));
  metrics.describe(info);
  metrics.answered({ route: '/v1/predict', status: 200, seconds: 0.002, isPrediction: true });
  metrics.poll(() => ({ ring: { depth: 2, slots: 8 }, credit: { usedBytes: 10, limitBytes: 100 }, isReady: true }));
  return metrics;
}

suite('metricsTelemetry', () => {
  for (const [type, expected] of Object.entries(changes) as [TelemetryEvent['type'], Record<string, number>][]) {
    test(`${type} changes what it says and leaves the rest`, async () => {
      const before = await samplesOf(metricsAfter([]));
      const after = await samplesOf(metricsAfter([everything[type]]));
      for (const [sample, value] of Object.entries(expected)) {
        assert.ok(
          Math.abs((after.get(sample) ?? NaN) - value) < 1e-9,
          `${sample} is ${after.get(sample)}, not ${value}`,
        );
      }
      const counters = [...after.keys()].filter((name) => /^millrace_\w+_total/.test(name));
      const moved = counters.filter((name) => after.get(name) !== (before.get(name) ?? 0));
      assert.deepEqual(
        moved.sort(),
        Object.keys(expected)
          .filter((name) => /_total/.test(name))
          .sort(),
      );
    });
  }

  test('the end of a partition moves its lag once it is being read', async () => {
    const samples = await samplesOf(metricsAfter([everything.recordsRead, everything.endOffsetSeen]));
    assert.equal(samples.get('millrace_lag_records{topic="readings",partition="3"}'), 50);
  });

  test('after everything happened each defined metric is there, and no other', async () => {
    const { body } = await metricsAfterEverything().expose();
    const typed = [...body.matchAll(/^# TYPE (millrace_\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    assert.deepEqual(
      typed,
      metricDefinitions.map(({ name, type }) => `${name} ${type}`),
    );
    const samples = await samplesOf(metricsAfterEverything());
    for (const { name } of metricDefinitions) {
      assert.ok(
        [...samples.keys()].some((sample) => sample.startsWith(name)),
        `${name} has no sample`,
      );
    }
  });

  test('each label has a name and a value of its closed set', async () => {
    const definitions = new Map<string, MetricDefinition>(metricDefinitions.map((each) => [each.name, each]));
    for (const sample of (await samplesOf(metricsAfterEverything())).keys()) {
      const [, name = '', labels = ''] = /^(millrace_\w+)(?:\{(.*)\})?$/.exec(sample) ?? [];
      const definition = definitions.get(name) ?? definitions.get(name.replace(/_(bucket|sum|count)$/, ''));
      if (definition === undefined) continue;
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
        if (label === 'le') continue;
        const allowed = definition.labels?.[label];
        assert.ok(allowed !== undefined, `${sample}: label ${label} is not defined`);
        assert.ok(typeof allowed === 'string' || allowed.includes(value), `${sample}: ${value} is not in the set`);
      }
    }
  });

  test('requests are counted by route and status, and the time of those that predict; counters never fall', async () => {
    const metrics = metricsAfter([]);
    const answer = { route: '/v1/predict', status: 200, seconds: 0.002, isPrediction: true };
    for (const request of [answer, answer, { ...answer, status: 503 }]) metrics.answered(request);
    metrics.answered({ route: '/metrics', status: 200, seconds: 9, isPrediction: false });
    metrics.predicted(7);
    await metrics.expose();
    metrics.answered(answer);
    metrics.predicted(1);
    const samples = await samplesOf(metrics);
    assert.equal(samples.get('millrace_http_requests_total{route="/v1/predict",status="200"}'), 3);
    assert.equal(samples.get('millrace_http_requests_total{route="/v1/predict",status="503"}'), 1);
    assert.equal(samples.get('millrace_http_requests_total{route="/metrics",status="200"}'), 1);
    assert.equal(samples.get('millrace_predictions_total{route="http"}'), 8);
    assert.equal(samples.get('millrace_http_prediction_seconds_count'), 4);
    assert.ok(Math.abs((samples.get('millrace_http_prediction_seconds_sum') ?? 0) - 0.008) < 1e-9);
  });

  test('gauges without a value are absent, not 0', async () => {
    const samples = await samplesOf(metricsAfter([]));
    assert.equal(samples.has('millrace_freshness_seconds'), false);
    assert.equal(samples.has('millrace_last_checkpoint_timestamp_seconds'), false);
    assert.equal(samples.has('millrace_ring_depth_batches'), false);
    const memory = samples.get('millrace_memory_limit_bytes') ?? 0;
    assert.ok(memory > 0 && memory <= totalmem(), 'but the limit of memory is known from the start');
    const labelled = await samplesOf(
      metricsAfter([everything.batchObserved, batchObserved({ oldestPendingMs: null })]),
    );
    assert.equal(labelled.has('millrace_oldest_pending_label_timestamp_seconds'), false);
  });

  test('counters are of this process, lifetime gauges go on from the checkpoint', async () => {
    const progress = new Progress(() => nowMs);
    const trainer = { trained: 900, rejected: 0, unlabelled: 0, pending: 0 };
    progress.restore({ read: 1000, trained: 900, rejected: 100, filtered: 0, unlabelled: 0, pending: 0 }, trainer);
    const metrics = metricsTelemetry(progress);
    tellAll([progress, metrics]).emit(batchObserved({ outcomes: { ...trainer, trained: 910 } }));
    const samples = await samplesOf(metrics);
    assert.equal(samples.get('millrace_records_total{outcome="trained"}'), 10);
    assert.equal(samples.get('millrace_lifetime_records{outcome="trained"}'), 910);
    assert.equal(samples.get('millrace_lifetime_records{outcome="rejected"}'), 100);
  });

  test('a scraper that asks for OpenMetrics gets it, any other gets the text format', async () => {
    const metrics = metricsAfterEverything();
    const open = await metrics.expose('application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1');
    assert.match(open.contentType, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.match(open.body, /^# TYPE millrace_records_read counter$/m);
    assert.match(open.body, /^millrace_records_read_total 100$/m);
    assert.ok(open.body.endsWith('\n# EOF\n'));
    const text = await metrics.expose('*/*');
    assert.match(text.contentType, /^text\/plain; version=0\.0\.4/);
    assert.match(text.body, /^# TYPE millrace_records_read_total counter$/m);
    assert.ok(!text.body.includes('# EOF'));
  });

  test('the slowest step since the last scrape names the rows of its batch, in OpenMetrics alone', async () => {
    const metrics = metricsAfter([]);
    const step = (seconds: number, firstOffset: number): void => {
      metrics.emit(batchObserved({ seconds, origin: { originId: 0, firstOffset, lastOffset: firstOffset + 63 } }));
    };
    const exemplars = async (): Promise<string[]> =>
      ((await metrics.expose('application/openmetrics-text')).body.match(/^.* # \{.*$/gm) ?? []).map((line) =>
        line.replace(/ [\d.]+$/, ''),
      );
    step(4, 0);
    assert.deepEqual(await exemplars(), [], 'before it is known what runs');
    metrics.describe(info);
    step(4, 100);
    step(3, 164);
    const first = 'millrace_step_seconds_bucket{le="10"} 3 # {topic="readings",partition="3",offsets="100-163"} 4';
    assert.deepEqual(await exemplars(), [first]);
    step(3, 228);
    step(11, 292);
    assert.deepEqual(await exemplars(), [
      'millrace_step_seconds_bucket{le="10"} 4 # {topic="readings",partition="3",offsets="228-291"} 3',
      'millrace_step_seconds_bucket{le="+Inf"} 5 # {topic="readings",partition="3",offsets="292-355"} 11',
    ]);
    const { body } = await metrics.expose();
    assert.match(body, /^millrace_step_seconds_bucket\{le="10"\} 4$/m);
    assert.doesNotMatch(body, / # \{/);
  });

  test('a topic too long for an exemplar is cut, and the rest kept, whatever the numbers', async () => {
    const metrics = metricsAfter([]);
    const topic = `${'a'.repeat(200)}readings`;
    metrics.describe({ ...info, originOf: () => ({ topic, partition: 2 ** 31 - 1 }) });
    const lastOffset = Number.MAX_SAFE_INTEGER;
    metrics.emit(batchObserved({ origin: { originId: 0, firstOffset: lastOffset - 100, lastOffset } }));
    const { body } = await metrics.expose('application/openmetrics-text');
    const [, cut = '', rest] = /topic="(.*?)",(.*)\}/.exec(body) ?? [];
    assert.match(cut, /^…a+readings$/);
    assert.equal(rest, `partition="2147483647",offsets="${lastOffset - 100}-${lastOffset}"`);
    const characters = `topic${cut}partition2147483647offsets${lastOffset - 100}-${lastOffset}`;
    assert.equal(characters.length, 128);
  });

  test('promtool finds nothing to say about names, types and help', async (t) => {
    const { body } = await metricsAfterEverything().expose();
    const promtool = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    if (promtool.error !== undefined) {
      t.skip('promtool is not installed (Debian package prometheus)');
      return;
    }
    assert.equal(promtool.stdout + promtool.stderr, '');
    assert.equal(promtool.status, 0);
  });
});
