import type { AlertName } from '../../src/metrics/alerts.ts';

/** The minute at which the alerts are judged; histories begin at 0. */
export const lastMinute = 120;

/** What is scraped of a series at a minute of its history; null where it is not there. */
export type History = (minute: number) => number | null;

/** Histories by series, without the labels that the scrape adds. */
export type Histories = Readonly<Record<string, History>>;

/** Changes to `healthy` under which the alert, and it alone, fires, and near misses under which none does. */
export interface AlertCases {
  readonly fires: readonly Histories[];
  readonly silent: readonly Histories[];
}

const always =
  (value: number): History =>
  () =>
    value;

const rising =
  (perMinute: number): History =>
  (minute) =>
    perMinute * minute;

/** One value, and another in the last minutes. */
const lately =
  (minutes: number, value: number, before: number): History =>
  (minute) =>
    minute > lastMinute - minutes ? value : before;

/** Counts up but for the last minutes. */
const stopped =
  (minutes: number, perMinute: number): History =>
  (minute) =>
    perMinute * Math.min(minute, lastMinute - minutes);

/** Nothing until the last minutes, and then more each minute. */
const begun =
  (minutes: number, perMinute: number): History =>
  (minute) =>
    perMinute * Math.max(0, minute - (lastMinute - minutes));

const every =
  (minutes: number, value: number, between: number): History =>
  (minute) =>
    minute % minutes === 0 ? value : between;

/** A process that reads 600 records a minute from two partitions and serves the better of two models. */
export const healthy: Histories = {
  up: always(1),
  'millrace_build_info{version="1",node="v20"}': always(1),
  millrace_source_joined: always(1),
  millrace_ready: always(1),
  millrace_registry_retries_total: always(0),
  millrace_records_read_total: rising(600),
  millrace_step_seconds_count: rising(10),
  millrace_ring_depth_batches: always(0),
  'millrace_lag_records{topic="t",partition="0"}': always(0),
  'millrace_lag_records{topic="t",partition="1"}': always(0),
  millrace_lag_seconds: always(1),
  millrace_freshness_seconds: always(2),
  'millrace_dead_letters_total{reason="frame.magic"}': always(0),
  'millrace_dead_letters_total{reason="json.invalid"}': always(0),
  millrace_offsets_skipped_total: always(0),
  'millrace_loss{model="main"}': always(0.2),
  'millrace_loss{model="shadow"}': always(0.3),
  'millrace_lifetime_withheld_rows{model="main"}': always(0),
  'millrace_lifetime_withheld_rows{model="shadow"}': always(0),
  'millrace_recent_score{model="main",metric="mae"}': always(1),
  'millrace_recent_score{model="shadow",metric="mae"}': always(1.1),
  'millrace_recent_score{model="baseline",metric="mae"}': always(1.2),
  'millrace_lifetime_scored_rows{model="main"}': always(50_000),
  'millrace_lifetime_scored_rows{model="shadow"}': always(50_000),
  'millrace_lifetime_scored_rows{model="baseline"}': always(50_000),
  'millrace_model_info{model="main",kind="mlp",served="true"}': always(1),
  'millrace_model_info{model="shadow",kind="linear",served="false"}': always(1),
  millrace_served_version_timestamp_seconds: rising(60),
  millrace_newest_version_timestamp_seconds: rising(60),
  millrace_versions_held_in_a_row: every(10, 1, 0),
  millrace_predictions_joined: always(1),
  'millrace_predictions_total{route="topic"}': rising(600),
  'millrace_prediction_lag_records{topic="t",partition="0"}': every(3, 500, 0),
  'millrace_prediction_dead_letters_total{reason="frame.magic"}': always(0),
  'millrace_http_requests_total{route="/v1/predict",status="200"}': rising(60),
  'millrace_http_requests_total{route="/v1/predict",status="503"}': always(0),
  'millrace_http_requests_total{route="/v2/health/ready",status="503"}': rising(6),
  millrace_checkpoint_failures_total: always(0),
  millrace_last_step_timestamp_seconds: rising(60),
  millrace_last_checkpoint_timestamp_seconds: rising(60),
  process_start_time_seconds: always(0),
  process_resident_memory_bytes: always(3e8),
  millrace_memory_limit_bytes: always(1e9),
};

/** The process is not scraped in the last minutes: Prometheus forgets what it said. */
function unscraped(minutes: number): Histories {
  const seen = Object.entries(healthy).map(([series, history]) => {
    const isThere = (minute: number): boolean => minute <= lastMinute - minutes;
    return [series, (minute: number) => (isThere(minute) ? history(minute) : null)] as const;
  });
  return { ...Object.fromEntries(seen), up: lately(minutes, 0, 1) };
}

const held = (minutes: number): Histories => ({
  millrace_step_seconds_count: stopped(minutes, 10),
  millrace_last_step_timestamp_seconds: stopped(minutes, 60),
  millrace_last_checkpoint_timestamp_seconds: stopped(minutes, 60),
  millrace_lag_seconds: begun(minutes, 60),
  millrace_freshness_seconds: begun(minutes, 60),
});

const silence = (minutes: number): Histories => ({
  millrace_records_read_total: stopped(minutes, 600),
  millrace_step_seconds_count: stopped(minutes, 10),
  millrace_last_step_timestamp_seconds: stopped(minutes, 60),
  millrace_last_checkpoint_timestamp_seconds: stopped(minutes, 60),
  millrace_lag_seconds: always(0),
  millrace_freshness_seconds: begun(minutes, 60),
});

const stale = (of: (value: number, otherwise: number) => History): Histories => ({
  millrace_lag_seconds: of(120, 1),
  millrace_freshness_seconds: of(120, 2),
});

export const alertCases: Readonly<Record<AlertName, AlertCases>> = {
  MillraceDown: { fires: [unscraped(4)], silent: [unscraped(1)] },
  MillraceBrokerAway: {
    fires: [{ millrace_source_joined: lately(4, 0, 1), millrace_ready: lately(4, 0, 1) }],
    silent: [{ millrace_source_joined: lately(1, 0, 1) }],
  },
  MillraceRegistryAway: {
    fires: [{ millrace_registry_retries_total: begun(8, 3) }],
    silent: [{ millrace_registry_retries_total: lately(4, 1, 0) }],
  },
  MillraceNotReady: {
    fires: [{ millrace_ready: lately(7, 0, 1) }],
    silent: [{ millrace_ready: lately(4, 0, 1) }],
  },
  MillraceTrainerStalled: {
    fires: [
      // Back-pressure: the ring is full, and reading has stopped.
      { ...held(8), millrace_ring_depth_batches: lately(8, 64, 0), millrace_records_read_total: stopped(7, 600) },
      { ...held(8), 'millrace_lag_records{topic="t",partition="1"}': begun(8, 600) },
    ],
    silent: [{ ...held(4), millrace_ring_depth_batches: lately(4, 64, 0) }],
  },
  MillraceSourceSilent: {
    fires: [silence(17)],
    silent: [silence(12), { ...silence(17), millrace_source_joined: lately(1, 0, 1), millrace_ready: lately(1, 0, 1) }],
  },
  MillraceLagGrowing: {
    // One partition, so that the model as a whole stays fresh.
    fires: [
      { 'millrace_lag_records{topic="t",partition="1"}': begun(35, 100), millrace_lag_seconds: lately(35, 90, 1) },
    ],
    silent: [
      {
        'millrace_lag_records{topic="t",partition="1"}': (minute) => 1e6 - 100 * minute,
        millrace_lag_seconds: lately(35, 90, 1),
      },
    ],
  },
  MillraceFreshnessBurnFast: {
    fires: [stale((value, otherwise) => lately(13, value, otherwise))],
    silent: [
      stale((value, otherwise) => lately(5, value, otherwise)),
      // Labels that come an hour later.
      { millrace_freshness_seconds: always(3600) },
    ],
  },
  MillraceFreshnessBurnSlow: {
    fires: [stale((value, otherwise) => every(10, value, otherwise))],
    silent: [stale((value, otherwise) => every(25, value, otherwise))],
  },
  MillraceDeadLetters: {
    fires: [{ 'millrace_dead_letters_total{reason="frame.magic"}': begun(15, 12) }],
    silent: [{ 'millrace_dead_letters_total{reason="frame.magic"}': begun(15, 3) }],
  },
  MillraceOffsetsSkipped: {
    fires: [
      { millrace_offsets_skipped_total: lately(5, 25, 0) },
      // Skipped before the first scrape.
      { millrace_offsets_skipped_total: (minute) => (minute > lastMinute - 5 ? 25 : null) },
    ],
    silent: [{ millrace_offsets_skipped_total: lately(20, 25, 0) }],
  },
  MillraceLossDiverging: {
    fires: [
      { 'millrace_loss{model="main"}': lately(16, 0.7, 0.2) },
      { 'millrace_lifetime_withheld_rows{model="main"}': begun(8, 16) },
    ],
    silent: [
      { 'millrace_loss{model="main"}': lately(16, 0.35, 0.2) },
      { 'millrace_loss{model="main"}': lately(16, 0.09, 0.01) },
      { 'millrace_loss{model="shadow"}': lately(16, 9, 0.3) },
    ],
  },
  MillraceScoreBelowBaseline: {
    fires: [
      { 'millrace_recent_score{model="main",metric="mae"}': lately(33, 1.5, 1) },
      {
        'millrace_recent_score{model="main",metric="accuracy"}': always(0.6),
        'millrace_recent_score{model="baseline",metric="accuracy"}': always(0.7),
      },
    ],
    silent: [
      { 'millrace_recent_score{model="main",metric="mae"}': lately(25, 1.5, 1) },
      { 'millrace_recent_score{model="shadow",metric="mae"}': lately(33, 1.5, 1) },
      {
        'millrace_recent_score{model="main",metric="mae"}': always(1.5),
        'millrace_lifetime_scored_rows{model="main"}': always(900),
      },
    ],
  },
  MillraceServedModelOld: {
    fires: [
      { millrace_served_version_timestamp_seconds: stopped(8, 60), millrace_versions_held_in_a_row: begun(8, 2) },
      // One checkpoint an hour.
      { millrace_served_version_timestamp_seconds: stopped(180, 60), millrace_versions_held_in_a_row: always(3) },
    ],
    silent: [
      { millrace_served_version_timestamp_seconds: stopped(4, 60), millrace_versions_held_in_a_row: begun(4, 2) },
      // One checkpoint an hour, and one of them held.
      { millrace_served_version_timestamp_seconds: stopped(60, 60), millrace_versions_held_in_a_row: always(1) },
    ],
  },
  MillracePredictionsWait: {
    fires: [{ millrace_predictions_joined: lately(7, 0, 1) }],
    silent: [{ millrace_predictions_joined: lately(4, 0, 1) }],
  },
  MillracePredictionsBehind: {
    fires: [{ 'millrace_prediction_lag_records{topic="t",partition="0"}': begun(50, 100) }],
    silent: [
      { 'millrace_prediction_lag_records{topic="t",partition="0"}': begun(12, 100) },
      { 'millrace_prediction_lag_records{topic="t",partition="0"}': (minute) => 1e6 - 100 * minute },
    ],
  },
  MillracePredictionDeadLetters: {
    fires: [{ 'millrace_prediction_dead_letters_total{reason="frame.magic"}': begun(15, 12) }],
    silent: [{ 'millrace_prediction_dead_letters_total{reason="frame.magic"}': begun(15, 3) }],
  },
  MillraceRequestsRefused: {
    fires: [{ 'millrace_http_requests_total{route="/v1/predict",status="503"}': begun(12, 3) }],
    silent: [{ 'millrace_http_requests_total{route="/v1/predict",status="503"}': begun(4, 3) }],
  },
  MillraceCheckpointFailing: {
    fires: [{ millrace_checkpoint_failures_total: begun(8, 2) }],
    silent: [{ millrace_checkpoint_failures_total: lately(4, 1, 0) }],
  },
  MillraceCheckpointTooOld: {
    fires: [
      { millrace_last_checkpoint_timestamp_seconds: stopped(35, 60) },
      { millrace_last_checkpoint_timestamp_seconds: () => null },
    ],
    silent: [{ millrace_last_checkpoint_timestamp_seconds: stopped(25, 60) }],
  },
  MillraceMemoryHigh: {
    fires: [{ process_resident_memory_bytes: lately(7, 9.5e8, 3e8) }],
    silent: [{ process_resident_memory_bytes: lately(3, 9.5e8, 3e8) }],
  },
};
