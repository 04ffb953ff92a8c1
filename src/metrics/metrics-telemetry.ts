import { totalmem } from 'node:os';
import client from 'prom-client';
import type { Progress } from '../progress.ts';
import type { LossComparison, ModelReport, PromotionDecision, ServingFacts, StepReport } from '../records.ts';
import type { Telemetry, TelemetryEvent } from '../telemetry.ts';
import { baselineModel } from './definitions.ts';
import { instruments } from './instruments.ts';
import type { Instruments } from './instruments.ts';
import { prometheusText } from './prometheus-text.ts';
import { RequestCounts } from './request-counts.ts';
import { StepTimes, type OriginOf } from './step-times.ts';

/** What is asked at each scrape, since nobody tells it. */
export interface PolledState {
  readonly ring: { readonly depth: number; readonly slots: number };
  readonly credit: { readonly usedBytes: number; readonly limitBytes: number };
  readonly isReady: boolean;
}

/** What runs here, for the info metrics. */
export interface RunInfo {
  readonly version: string;
  readonly pipeline: string;
  readonly configDigest: string;
  readonly backend: string;
  readonly models: Readonly<Record<string, { readonly kind: string }>>;
  readonly served: string;
  readonly originOf: OriginOf;
}

/** A request over HTTP that is over. */
export interface Answered {
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly isPrediction: boolean;
}

/** A scrape's answer. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Telemetry kept as Prometheus metrics in a registry of its own. */
export interface MetricsTelemetry extends Telemetry {
  /** Sets what runs here; called once the trainer has chosen its backend. */
  describe(info: RunInfo): void;
  /** Sets what is polled; until then those metrics are absent. */
  poll(state: () => PolledState): void;
  /** Counts a request over HTTP; nothing but a few additions. */
  answered(request: Answered): void;
  /** Counts rows that were predicted over HTTP. */
  predicted(rows: number): void;
  /** OpenMetrics where `accept` (an HTTP Accept header) asks for it, as Prometheus does, else the Prometheus text format. */
  expose(accept?: string): Promise<Exposition>;
}

/** Gauges that prom-client names like counters, which promtool refuses; each is the sum of one that stays. */
const misnamedDefaults = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
] as const;

/** Makes the metrics of `definitions.ts`; `progress` must be told each event before they are. */
export function metricsTelemetry(progress: Progress): MetricsTelemetry {
  const registry = new client.Registry<client.OpenMetricsContentType>();
  registry.setContentType(client.openMetricsContentType);
  client.collectDefaultMetrics({ register: registry });
  for (const name of misnamedDefaults) registry.removeSingleMetric(name);
  const metrics = instruments(registry);
  metrics.gauge('millrace_source_joined').set(0);
  metrics.gauge('millrace_memory_limit_bytes').set(memoryLimitBytes());
  const requests = new RequestCounts();
  const predictionSeconds = metrics.histogram('millrace_http_prediction_seconds');
  let rowsPredicted = 0;
  let polled: (() => PolledState) | null = null;
  const steps = new StepTimes(metrics.histogram('millrace_step_seconds'));
  return {
    emit: (event) => {
      record(metrics, event, progress.now() / 1000);
      if (event.type === 'batchObserved') steps.observe(event.report);
    },
    describe: (info) => {
      steps.originOf = info.originOf;
      describe(metrics, info);
    },
    poll: (state) => {
      polled = state;
    },
    answered: ({ route, status, seconds, isPrediction }) => {
      requests.add(route, status);
      if (isPrediction) predictionSeconds.observe(seconds);
    },
    predicted: (rows) => {
      rowsPredicted += rows;
    },
    expose: async (accept = '') => {
      requests.moveTo(metrics.counter('millrace_http_requests_total'));
      metrics.counter('millrace_predictions_total').inc({ route: 'http' }, rowsPredicted);
      rowsPredicted = 0;
      setFromProgress(metrics, progress);
      if (polled !== null) setPolled(metrics, polled());
      steps.scraped();
      const body = await registry.metrics();
      return accept.includes('application/openmetrics-text')
        ? { contentType: client.openMetricsContentType, body }
        : { contentType: client.prometheusContentType, body: prometheusText(body) };
    },
  };
}

/** Without a limit of its own a process is told 0 or more than there is. */
function memoryLimitBytes(): number {
  const own = process.constrainedMemory();
  return own > 0 ? Math.min(own, totalmem()) : totalmem();
}

function record(metrics: Instruments, event: TelemetryEvent, nowSeconds: number): void {
  switch (event.type) {
    case 'recordsRead':
      metrics.counter('millrace_records_read_total').inc(event.records);
      metrics.counter('millrace_read_bytes_total').inc(event.bytes);
      break;
    case 'recordsRejected':
      metrics.counter('millrace_dead_letters_total').inc({ reason: event.reason }, event.records);
      break;
    case 'recordsFiltered':
      metrics.counter('millrace_filtered_records_total').inc({ reason: event.reason }, event.records);
      break;
    case 'valuesMissed':
      metrics.counter('millrace_missing_values_total').inc({ field: event.field }, event.values);
      break;
    case 'keysEvicted':
      metrics.counter('millrace_keys_evicted_total').inc(event.keys);
      break;
    case 'blockDecoded':
      metrics.histogram('millrace_decode_seconds').observe(event.seconds);
      break;
    case 'blockDerived':
      metrics.histogram('millrace_derive_seconds').observe(event.seconds);
      break;
    case 'blockNormalized':
      metrics.histogram('millrace_normalize_seconds').observe(event.seconds);
      break;
    case 'batchSealed':
      metrics.counter('millrace_batches_total').inc({ cause: event.cause });
      break;
    case 'batchObserved':
      recordReport(metrics, event.report, nowSeconds);
      break;
    case 'checkpointSaved':
      metrics.histogram('millrace_checkpoint_seconds').observe(event.seconds);
      metrics.gauge('millrace_checkpoint_bytes').set(event.bytes);
      metrics.gauge('millrace_last_checkpoint_timestamp_seconds').set(nowSeconds);
      break;
    case 'checkpointFailed':
      metrics.counter('millrace_checkpoint_failures_total').inc();
      break;
    case 'checkpointDamaged':
      metrics.counter('millrace_damaged_checkpoints_total').inc();
      break;
    case 'promotionDecided':
      if (event.decision !== null) recordDecision(metrics, event.decision);
      recordServing(metrics, event.serving);
      break;
    case 'sourceJoined':
      metrics.gauge('millrace_source_joined').set(1);
      break;
    case 'sourceInterrupted':
      metrics.gauge('millrace_source_joined').set(0);
      metrics.counter('millrace_source_interruptions_total').inc();
      break;
    case 'offsetsSkipped':
      metrics.counter('millrace_offsets_skipped_total').inc(Math.abs(event.to - event.from));
      break;
    case 'sourceDegraded': // said once, in the log
    case 'modelDegraded': // likewise
    case 'endOffsetSeen': // lag is asked of `progress` at the scrape
      break;
    case 'registryRetried':
      metrics.counter('millrace_registry_retries_total').inc();
      break;
    default:
      recordPredictions(metrics, event);
  }
}

function recordDecision(metrics: Instruments, { action, recent, past }: PromotionDecision): void {
  metrics.counter('millrace_promotion_decisions_total').inc({ action });
  recordChange(metrics, 'recent', recent);
  recordChange(metrics, 'past', past);
}

function recordChange(metrics: Instruments, rows: 'recent' | 'past', comparison: LossComparison | null): void {
  if (comparison === null) return;
  const { atLeast: lower, change: median, atMost: upper } = comparison;
  for (const [bound, value] of Object.entries({ lower, median, upper }))
    metrics.gauge('millrace_candidate_loss_change_ratio').set({ rows, bound }, value);
}

function recordServing(metrics: Instruments, { served, newest, isPinned, heldInARow }: ServingFacts): void {
  metrics.gauge('millrace_served_version').set(numberOf(served.id));
  metrics.gauge('millrace_newest_version').set(numberOf(newest.id));
  metrics.gauge('millrace_served_version_timestamp_seconds').set(served.savedAtMs / 1000);
  metrics.gauge('millrace_newest_version_timestamp_seconds').set(newest.savedAtMs / 1000);
  metrics.gauge('millrace_versions_held_in_a_row').set(heldInARow);
  metrics.gauge('millrace_served_version_pinned').set(isPinned ? 1 : 0);
}

/** `checkpoint-000000000017` is 17. */
function numberOf(id: string): number {
  return Number(id.replace(/^\D*/, ''));
}

type PredictionEvent = Extract<TelemetryEvent, { readonly type: `prediction${string}` }>;

/** What predictions to a topic tell. */
function recordPredictions(metrics: Instruments, event: PredictionEvent): void {
  switch (event.type) {
    case 'predictionsAwaited':
      metrics.gauge('millrace_predictions_joined').set(0);
      break;
    case 'predictionsJoined':
      metrics.gauge('millrace_predictions_joined').set(1);
      break;
    case 'predictionsInterrupted':
      metrics.gauge('millrace_predictions_joined').set(0);
      metrics.counter('millrace_prediction_interruptions_total').inc();
      break;
    case 'predictionsWritten':
      metrics.counter('millrace_predictions_total').inc({ route: 'topic' }, event.predictions);
      metrics.histogram('millrace_prediction_transaction_seconds').observe(event.seconds);
      for (const [reason, records] of event.rejected) {
        metrics.counter('millrace_prediction_dead_letters_total').inc({ reason }, records);
      }
      break;
    case 'predictionOffsetsSkipped':
      metrics.counter('millrace_prediction_offsets_skipped_total').inc(Math.abs(event.to - event.from));
      break;
    case 'predictionPartitionSeen': // lag is asked of `progress` at the scrape
      break;
  }
}

function recordReport(metrics: Instruments, report: StepReport, nowSeconds: number): void {
  if (report.learnedRows > 0) {
    metrics.histogram('millrace_step_rows').observe(report.learnedRows);
    metrics.gauge('millrace_last_step_timestamp_seconds').set(nowSeconds);
  }
  if (report.rejectedRows.length > 0) {
    metrics.counter('millrace_dead_letters_total').inc({ reason: 'training.nonFinite' }, report.rejectedRows.length);
  }
}

/** What the latest report and the counts say; at the scrape, so that a step costs no more for being watched. */
function setFromProgress(metrics: Instruments, progress: Progress): void {
  const run = progress.outcomesOfRun;
  const records = metrics.counter('millrace_records_total');
  records.reset();
  for (const outcome of ['trained', 'rejected', 'filtered', 'unlabelled'] as const) {
    records.inc({ outcome }, Math.max(0, run[outcome]));
  }
  for (const [outcome, count] of Object.entries(progress.outcomes) as [string, number][]) {
    metrics.gauge('millrace_lifetime_records').set({ outcome }, count);
  }
  for (const { topic, partition, records: behind } of progress.lags) {
    if (behind !== null) metrics.gauge('millrace_lag_records').set({ topic, partition }, behind);
  }
  for (const { topic, partition, records: behind } of progress.predictionLags) {
    if (behind !== null) metrics.gauge('millrace_prediction_lag_records').set({ topic, partition }, behind);
  }
  metrics.gauge('millrace_lag_seconds').set(progress.lagSeconds);
  const { freshnessSeconds, eventTimeLagSeconds, report } = progress;
  if (freshnessSeconds !== null) metrics.gauge('millrace_freshness_seconds').set(freshnessSeconds);
  if (eventTimeLagSeconds !== null) metrics.gauge('millrace_event_time_lag_seconds').set(eventTimeLagSeconds);
  if (report !== null) setFromReport(metrics, report);
}

function setFromReport(metrics: Instruments, report: StepReport): void {
  setSeconds(metrics.gauge('millrace_newest_learned_record_timestamp_seconds'), report.newestTimestampMs);
  setSeconds(metrics.gauge('millrace_newest_learned_event_timestamp_seconds'), report.newestTimeMs);
  setSeconds(metrics.gauge('millrace_oldest_pending_label_timestamp_seconds'), report.oldestPendingMs);
  metrics.gauge('millrace_pending_labels').set(report.outcomes.pending);
  metrics.gauge('millrace_withheld_steps_in_a_row').set(report.withheldInARow);
  for (const [model, at] of [...Object.entries(report.models), [baselineModel, report.baseline] as const]) {
    setModel(metrics, model, at);
  }
}

function setModel(metrics: Instruments, model: string, report: ModelReport): void {
  if (report.loss !== null) metrics.gauge('millrace_loss').set({ model }, report.loss);
  for (const [metric, value] of Object.entries(report.metrics)) {
    if (value !== null) metrics.gauge('millrace_score').set({ model, metric }, value);
  }
  for (const [metric, value] of Object.entries(report.recent)) {
    if (value !== null) metrics.gauge('millrace_recent_score').set({ model, metric }, value);
  }
  metrics.gauge('millrace_lifetime_scored_rows').set({ model }, report.scored);
  metrics.gauge('millrace_lifetime_steps').set({ model }, report.steps);
  metrics.gauge('millrace_lifetime_withheld_rows').set({ model }, report.withheld);
}

/** A moment in Unix ms as seconds; no moment, no sample. */
function setSeconds(gauge: client.Gauge, momentMs: number | null): void {
  if (momentMs === null) gauge.remove({});
  else gauge.set(momentMs / 1000);
}

function setPolled(metrics: Instruments, state: PolledState): void {
  metrics.gauge('millrace_ring_depth_batches').set(state.ring.depth);
  metrics.gauge('millrace_ring_capacity_batches').set(state.ring.slots);
  metrics.gauge('millrace_credit_used_bytes').set(state.credit.usedBytes);
  metrics.gauge('millrace_credit_limit_bytes').set(state.credit.limitBytes);
  metrics.gauge('millrace_ready').set(state.isReady ? 1 : 0);
}

function describe(metrics: Instruments, info: RunInfo): void {
  metrics.gauge('millrace_build_info').set({ version: info.version, node: process.version }, 1);
  metrics
    .gauge('millrace_config_info')
    .set({ pipeline: info.pipeline, digest: info.configDigest, backend: info.backend }, 1);
  for (const [model, { kind }] of Object.entries(info.models)) {
    metrics.gauge('millrace_model_info').set({ model, kind, served: String(model === info.served) }, 1);
  }
}
