import { metricDefinitions } from './definitions.ts';
import { metric } from './promql.ts';

/** A panel's unit, as Grafana names it. */
type Unit = 'short' | 's' | 'bytes' | 'Bps' | 'cps' | 'percentunit' | 'dateTimeFromNow' | 'none';

export interface Query {
  readonly expr: string;
  /** May hold labels as Grafana writes them: `{{model}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** One number, or lines over time. */
  readonly kind: 'stat' | 'lines';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Marks the exemplars of the last query's metric. */
  readonly showsExemplars?: boolean;
}

export interface Dashboard {
  readonly title: string;
  /** By the title of their row. */
  readonly rows: Readonly<Record<string, readonly Panel[]>>;
}

/** The processes chosen at the top of the dashboard. */
const chosen = 'instance=~"$instance"';

const now: typeof metric = (name, matchers) => metric(name, matchers, chosen);
const perSecond: typeof metric = (name, matchers) => `rate(${now(name, matchers)}[$__rate_interval])`;

const lines = (title: string, unit: Unit, ...queries: readonly (readonly [expr: string, legend: string])[]): Panel => ({
  title,
  kind: 'lines',
  unit,
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});

const stat = (title: string, unit: Unit, expr: string, legend = '{{instance}}'): Panel => ({
  title,
  kind: 'stat',
  unit,
  queries: [{ expr, legend }],
});

type Timed =
  `millrace_${'decode' | 'derive' | 'normalize' | 'step' | 'checkpoint' | 'http_prediction' | 'prediction_transaction'}_seconds`;

const times = (title: string, name: Timed): Panel => ({
  ...lines(
    title,
    's',
    ...([0.5, 0.99] as const).map(
      (share) => [`histogram_quantile(${share}, ${perSecond(`${name}_bucket`)})`, `p${100 * share}`] as const,
    ),
  ),
  showsExemplars: metricDefinitions.some((definition) => definition.name === name && 'exemplar' in definition),
});

const leading = ['mae', 'accuracy'] as const;
const trained = perSecond('millrace_records_total', { outcome: 'trained' });
const freshness = lines(
  'Freshness and lag',
  's',
  [now('millrace_freshness_seconds'), 'age of the newest learned record'],
  [now('millrace_lag_seconds'), 'age of the oldest waiting record'],
);
const scores = lines('Recent score', 'short', [
  now('millrace_recent_score', { metric: leading }),
  '{{model}} {{metric}}',
]);
const outcomes = lines('Records by outcome', 'cps', [perSecond('millrace_records_total'), '{{outcome}}']);
const lag = lines('Lag by partition', 'short', [now('millrace_lag_records'), '{{topic}}:{{partition}}']);
const checkpointAge = `time() - ${now('millrace_last_checkpoint_timestamp_seconds')}`;

const overview: Dashboard = {
  title: 'Millrace: overview',
  rows: {
    Now: [
      stat('Ready', 'none', now('millrace_ready')),
      stat('Learned a second', 'cps', trained),
      stat('Freshness', 's', now('millrace_freshness_seconds')),
      stat('Records waiting', 'short', `sum by (instance) (${now('millrace_lag_records')})`),
      stat('Dead letters a second', 'cps', `sum by (instance) (${perSecond('millrace_dead_letters_total')})`),
      stat('Checkpoint age', 's', checkpointAge),
    ],
    'Over time': [outcomes, freshness, scores, lag],
  },
};

const pipeline: Dashboard = {
  title: 'Millrace: pipeline',
  rows: {
    Source: [
      lines('Read', 'cps', [perSecond('millrace_records_read_total'), '{{instance}}']),
      lines('Bytes read', 'Bps', [perSecond('millrace_read_bytes_total'), '{{instance}}']),
      lag,
      lines('Source joined', 'none', [now('millrace_source_joined'), '{{instance}}']),
      lines(
        'Trouble',
        'cps',
        [perSecond('millrace_source_interruptions_total'), 'interruptions'],
        [perSecond('millrace_registry_retries_total'), 'registry retries'],
        [perSecond('millrace_offsets_skipped_total'), 'offsets skipped'],
      ),
      lines(
        'Bytes in flight',
        'bytes',
        [now('millrace_credit_used_bytes'), 'used'],
        [now('millrace_credit_limit_bytes'), 'limit'],
      ),
    ],
    Operators: [
      times('Decode a block', 'millrace_decode_seconds'),
      times('Derive a block', 'millrace_derive_seconds'),
      times('Normalize a block', 'millrace_normalize_seconds'),
      lines('Batches by what sealed them', 'cps', [perSecond('millrace_batches_total'), '{{cause}}']),
      lines(
        'Ring',
        'short',
        [now('millrace_ring_depth_batches'), 'batches that wait'],
        [now('millrace_ring_capacity_batches'), 'capacity'],
      ),
      lines('Keys evicted', 'cps', [perSecond('millrace_keys_evicted_total'), '{{instance}}']),
    ],
    'Records that are not learned': [
      outcomes,
      lines('Dead letters by reason', 'cps', [perSecond('millrace_dead_letters_total'), '{{reason}}']),
      lines('Filtered by reason', 'cps', [perSecond('millrace_filtered_records_total'), '{{reason}}']),
    ],
  },
};

const model: Dashboard = {
  title: 'Millrace: model quality',
  rows: {
    Scores: [
      scores,
      lines('Score over all', 'short', [now('millrace_score', { metric: leading }), '{{model}} {{metric}}']),
      lines('All recent scores', 'short', [now('millrace_recent_score'), '{{model}} {{metric}}']),
      lines('Loss', 'short', [now('millrace_loss'), '{{model}}']),
    ],
    Steps: [
      times('Step', 'millrace_step_seconds'),
      lines('Rows a step', 'short', [
        `${perSecond('millrace_step_rows_sum')} / ${perSecond('millrace_step_rows_count')}`,
        '{{instance}}',
      ]),
      lines('Steps', 'short', [now('millrace_lifetime_steps'), '{{model}}']),
      lines(
        'Withheld',
        'short',
        [now('millrace_lifetime_withheld_rows'), 'rows of {{model}}'],
        [now('millrace_withheld_steps_in_a_row'), 'steps in a row'],
      ),
    ],
    'Labels and time': [
      lines('Rows that wait for their label', 'short', [now('millrace_pending_labels'), '{{instance}}']),
      freshness,
      lines('Event time behind now', 's', [now('millrace_event_time_lag_seconds'), '{{instance}}']),
    ],
    'What is served': [
      lines(
        'Versions',
        'short',
        [now('millrace_newest_version'), 'newest'],
        [now('millrace_served_version'), 'served'],
      ),
      lines('Served model behind the newest', 's', [
        `${now('millrace_newest_version_timestamp_seconds')} - ${now('millrace_served_version_timestamp_seconds')}`,
        '{{instance}}',
      ]),
      lines('Loss against the served model', 'percentunit', [
        now('millrace_candidate_loss_change_ratio'),
        '{{rows}} rows, {{bound}}',
      ]),
      lines(
        'Decisions',
        'short',
        [`increase(${now('millrace_promotion_decisions_total')}[$__rate_interval])`, '{{action}}'],
        [now('millrace_versions_held_in_a_row'), 'held in a row'],
        [now('millrace_served_version_pinned'), 'pinned'],
      ),
    ],
    Checkpoints: [
      lines('Checkpoint age', 's', [checkpointAge, '{{instance}}']),
      times('Writing a checkpoint', 'millrace_checkpoint_seconds'),
      lines('Checkpoint size', 'bytes', [now('millrace_checkpoint_bytes'), '{{instance}}']),
      lines(
        'Checkpoint trouble',
        'cps',
        [perSecond('millrace_checkpoint_failures_total'), 'failures'],
        [perSecond('millrace_damaged_checkpoints_total'), 'damaged'],
      ),
    ],
  },
};

const serving: Dashboard = {
  title: 'Millrace: serving',
  rows: {
    'Over HTTP': [
      lines('Rows predicted', 'cps', [perSecond('millrace_predictions_total'), '{{route}}']),
      times('Request for predictions', 'millrace_http_prediction_seconds'),
      lines('Requests', 'cps', [perSecond('millrace_http_requests_total'), '{{route}} {{status}}']),
    ],
    'To a topic': [
      lines('Predictions flow', 'none', [now('millrace_predictions_joined'), '{{instance}}']),
      lines('Not yet predicted', 'short', [now('millrace_prediction_lag_records'), '{{topic}}:{{partition}}']),
      times('A transaction', 'millrace_prediction_transaction_seconds'),
      lines('Not predicted, by reason', 'cps', [perSecond('millrace_prediction_dead_letters_total'), '{{reason}}']),
      lines(
        'Trouble of predictions',
        'cps',
        [perSecond('millrace_prediction_interruptions_total'), 'interruptions'],
        [perSecond('millrace_prediction_offsets_skipped_total'), 'offsets skipped'],
      ),
    ],
  },
};

const resources: Dashboard = {
  title: 'Millrace: process',
  rows: {
    'What runs': [
      stat('Version', 'none', now('millrace_build_info'), '{{version}} on Node {{node}}'),
      stat('Pipeline', 'none', now('millrace_config_info'), '{{pipeline}} on {{backend}}'),
      stat('Models', 'none', now('millrace_model_info'), '{{model}}: {{kind}}'),
      stat('Uptime', 's', `time() - ${now('process_start_time_seconds')}`),
    ],
    Resources: [
      lines('CPU cores used', 'short', [perSecond('process_cpu_seconds_total'), '{{instance}}']),
      lines(
        'Memory',
        'bytes',
        [now('process_resident_memory_bytes'), 'resident'],
        [now('nodejs_heap_size_used_bytes'), 'JavaScript heap'],
        [now('nodejs_external_memory_bytes'), 'buffers'],
        [now('millrace_memory_limit_bytes'), 'limit'],
      ),
      lines('Event loop lag, p99', 's', [now('nodejs_eventloop_lag_p99_seconds'), '{{instance}}']),
    ],
  },
};

/** By the name of their file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'millrace-overview': overview,
  'millrace-pipeline': pipeline,
  'millrace-model': model,
  'millrace-serving': serving,
  'millrace-process': resources,
};
