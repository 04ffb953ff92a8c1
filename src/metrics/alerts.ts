import { baselineModel } from './definitions.ts';
import { duration, metric, total } from './promql.ts';

export const alertNames = [
  'MillraceDown',
  'MillraceBrokerAway',
  'MillraceRegistryAway',
  'MillraceNotReady',
  'MillraceTrainerStalled',
  'MillraceSourceSilent',
  'MillraceLagGrowing',
  'MillraceFreshnessBurnFast',
  'MillraceFreshnessBurnSlow',
  'MillraceDeadLetters',
  'MillraceOffsetsSkipped',
  'MillraceLossDiverging',
  'MillraceScoreBelowBaseline',
  'MillraceServedModelOld',
  'MillracePredictionsWait',
  'MillracePredictionsBehind',
  'MillracePredictionDeadLetters',
  'MillraceRequestsRefused',
  'MillraceCheckpointFailing',
  'MillraceCheckpointTooOld',
  'MillraceMemoryHigh',
] as const;

export type AlertName = (typeof alertNames)[number];

/** One alert; its section in docs/runbook.md has its name. */
export interface Alert {
  /** Critical wakes somebody up; a warning waits for working hours. */
  readonly severity: 'critical' | 'warning';
  readonly expr: string;
  /** How long `expr` holds before the alert fires. */
  readonly forMinutes: number;
  /** May hold Prometheus templates, as may the description. */
  readonly summary: string;
  readonly description: string;
  /** Alerts of the same process that say nothing new while this one fires. */
  readonly explains?: readonly AlertName[];
}

export interface AlertOptions {
  /** Age in seconds at which what the model knows counts as stale while newer records wait. */
  readonly freshnessSeconds: number;
  /** How long nothing may arrive. */
  readonly silenceMinutes: number;
  /** Factor on every window and every `for`; 1 but for tests that make minutes seconds. */
  readonly timeScale: number;
}

type AlertTable = Readonly<Partial<Record<AlertName, Alert>>>;

/** A series that rules record for others: 1 where the model is staler than the objective, else 0. */
export interface Recording {
  readonly record: string;
  readonly expr: string;
}

/** Recorded, since the alerts average it over hours. */
const stale = 'millrace:stale:bool';
/** Share of the time that the model may be stale. */
const freshnessBudget = 0.01;
const maxDeadLetterShare = 0.01;
const maxMemoryShare = 0.9;
/** Mean loss in standardized units below which a model is too good to call a doubled loss diverging. */
const minDivergingLoss = 0.1;
const minScoredRows = 1000;
const maxUnsavedMinutes = 30;
const maxRefusedShare = 0.01;
/** Age of the served model against the newest one, and versions held in a row, that are more than the noise of a comparison. */
const maxHeldMinutes = 5;
const minHeldVersions = 3;

/** Where predictions are asked for. */
const predictingRoutes = ['/v1/predict', '/v2/models/:name/infer', '/v2/models/:name/versions/:version/infer'] as const;

/** What any hold-up before the trainer looks like from behind. */
const lateness = [
  'MillraceTrainerStalled',
  'MillraceSourceSilent',
  'MillraceFreshnessBurnFast',
  'MillraceFreshnessBurnSlow',
  'MillraceLagGrowing',
] as const satisfies readonly AlertName[];

const latePredictions = [
  'MillracePredictionsWait',
  'MillracePredictionsBehind',
] as const satisfies readonly AlertName[];

const waiting = total('millrace_lag_records', ['topic', 'partition']);

/**
 * The model is stale when its newest record is older than the objective although newer ones wait: a source that is
 * silent, or labels that come an hour later, are no staleness.
 */
export function recordings({ freshnessSeconds }: AlertOptions): readonly Recording[] {
  const isOld = `(${metric('millrace_freshness_seconds')} > bool ${freshnessSeconds})`;
  const areWaiting = `(${metric('millrace_lag_seconds')} > bool ${freshnessSeconds})`;
  return [{ record: stale, expr: `${isOld} * ${areWaiting}` }];
}

/** A window of so many minutes, as PromQL writes it. */
type Span = (minutes: number) => string;

/** All alerts, from the causes that explain most to those that explain nothing else. */
export function alerts(options: AlertOptions): Readonly<Record<AlertName, Alert>> {
  const span: Span = (minutes) => duration(minutes * options.timeScale);
  return {
    ...outages(span),
    ...flowAlerts(span, options),
    ...freshnessAlerts(span, options),
    ...lossOfRecords(span),
    ...modelAlerts(span),
    ...predictionAlerts(span),
    ...processAlerts(span),
  };
}

function outages(span: Span) {
  return {
    MillraceDown: {
      severity: 'critical',
      expr: `${metric('up')} == 0 and ignoring (version, node) last_over_time(${metric('millrace_build_info')}[${span(1440)}])`,
      forMinutes: 2,
      summary: 'Millrace does not answer on {{ $labels.instance }}',
      description: 'Prometheus cannot scrape a process that it has scraped in the last day: it has ended or hangs.',
      explains: alertNames.filter((name) => name !== 'MillraceDown'),
    },
    MillraceBrokerAway: {
      severity: 'critical',
      expr: `${metric('millrace_source_joined')} == 0`,
      forMinutes: 2,
      summary: 'Millrace on {{ $labels.instance }} cannot read its source',
      description: 'The broker is away, or refuses: nothing is read, and what was read before is served.',
      explains: ['MillraceNotReady', ...lateness, ...latePredictions],
    },
    MillraceRegistryAway: {
      severity: 'critical',
      expr: `increase(${metric('millrace_registry_retries_total')}[${span(5)}]) > 0`,
      forMinutes: 5,
      summary: 'Millrace on {{ $labels.instance }} cannot get a schema',
      description: 'Look-ups at the schema registry fail and are tried again: records with that schema wait.',
      explains: ['MillraceNotReady', ...lateness, ...latePredictions],
    },
    MillraceNotReady: {
      severity: 'critical',
      expr: `${metric('millrace_ready')} == 0`,
      forMinutes: 5,
      summary: 'Millrace on {{ $labels.instance }} is not ready',
      description: '/v2/health/ready says why: a limit has stopped reading, or something that it needs is away.',
      explains: lateness,
    },
  } as const satisfies AlertTable;
}

function flowAlerts(span: Span, { freshnessSeconds, silenceMinutes }: AlertOptions) {
  const window = span(5);
  return {
    MillraceTrainerStalled: {
      severity: 'critical',
      expr:
        `increase(${metric('millrace_step_seconds_count')}[${window}]) == 0 ` +
        `and (${metric('millrace_ring_depth_batches')} > 0 or ${waiting} > 0)`,
      forMinutes: 2,
      summary: 'Records wait on {{ $labels.instance }}, and none is learned',
      description: 'The trainer has not finished a batch for minutes although there is work.',
      explains: ['MillraceLagGrowing', 'MillraceFreshnessBurnFast', 'MillraceFreshnessBurnSlow'],
    },
    MillraceSourceSilent: {
      severity: 'warning',
      expr:
        `increase(${metric('millrace_records_read_total')}[${window}]) == 0 and ${metric('millrace_ready')} == 1 ` +
        `and ${metric('millrace_ring_depth_batches')} == 0 unless ${waiting} > 0`,
      forMinutes: silenceMinutes,
      summary: 'Nothing arrives at {{ $labels.instance }}',
      description: 'Everything that is there has been learned: whoever sends the records has stopped.',
    },
    MillraceLagGrowing: {
      severity: 'warning',
      expr:
        `${total('millrace_lag_records', ['topic', 'partition'], (lag) => `deriv(${lag}[${span(15)}])`)} > 0 ` +
        `and ${metric('millrace_lag_seconds')} > ${freshnessSeconds}`,
      forMinutes: 15,
      summary: 'Millrace on {{ $labels.instance }} falls behind by {{ $value | humanize }} records a second',
      description: 'More arrives than is learned, and the oldest record that waits is older than the objective.',
    },
  } as const satisfies AlertTable;
}

/** Fast and slow burn of the error budget, as in the SRE Workbook, chapter 5: each over a long and a short window. */
function freshnessAlerts(span: Span, { freshnessSeconds }: AlertOptions) {
  const burns = (times: number, long: number, short: number): string =>
    [long, short]
      .map((minutes) => `avg_over_time(${stale}[${span(minutes)}]) > ${Number((times * freshnessBudget).toFixed(4))}`)
      .join(' and ');
  const objective = `within ${freshnessSeconds} s for ${100 * (1 - freshnessBudget)} % of the time`;
  return {
    MillraceFreshnessBurnFast: {
      severity: 'critical',
      expr: burns(14.4, 60, 5),
      forMinutes: 2,
      summary: 'The model on {{ $labels.instance }} is stale',
      description: `Records wait longer than they may (${objective}): 2 % of a month's budget went in an hour.`,
      explains: ['MillraceFreshnessBurnSlow'],
    },
    MillraceFreshnessBurnSlow: {
      severity: 'warning',
      expr: burns(6, 360, 30),
      forMinutes: 15,
      summary: 'The model on {{ $labels.instance }} is stale too often',
      description: `Records wait longer than they may (${objective}): 5 % of a month's budget went in six hours.`,
    },
  } as const satisfies AlertTable;
}

function lossOfRecords(span: Span) {
  const letters = total('millrace_dead_letters_total', ['reason'], (each) => `increase(${each}[${span(10)}])`);
  const read = `increase(${metric('millrace_records_read_total')}[${span(10)}])`;
  const skipped = metric('millrace_offsets_skipped_total');
  return {
    MillraceDeadLetters: {
      severity: 'warning',
      expr: `${letters} / ${read} > ${maxDeadLetterShare}`,
      forMinutes: 1,
      summary: '{{ $value | humanizePercentage }} of the records on {{ $labels.instance }} cannot be used',
      description: 'They are in the dead letters with the reason; above limits.rejectRatio reading stops.',
    },
    MillraceOffsetsSkipped: {
      severity: 'warning',
      // Not `increase`, which is blind to a first sample: offsets are skipped mostly at a start.
      expr: `${skipped} > 0 unless ${skipped} == ${skipped} offset ${span(15)}`,
      forMinutes: 0,
      summary: 'Records were lost to training on {{ $labels.instance }}',
      description: 'Offsets were no longer in the log when they were to be read, {{ $value }} since the start.',
    },
  } as const satisfies AlertTable;
}

function modelAlerts(span: Span) {
  const lately = `avg_over_time(${metric('millrace_loss')}[${span(10)}])`;
  const before = `avg_over_time(${metric('millrace_loss')}[${span(60)}] offset ${span(10)})`;
  const withheld = `delta(${metric('millrace_lifetime_withheld_rows')}[${span(10)}])`;
  const served = metric('millrace_model_info', { served: 'true' });
  return {
    MillraceLossDiverging: {
      severity: 'warning',
      expr:
        `((${lately} > 2 * ${before} and ${lately} > ${minDivergingLoss}) or ${withheld} > 0) ` +
        `and ignoring (kind, served) ${served}`,
      forMinutes: 5,
      summary: 'Model {{ $labels.model }} on {{ $labels.instance }} diverges',
      description: 'Its loss is twice what it was in the hour before, or its steps give numbers that are not finite.',
      explains: ['MillraceScoreBelowBaseline'],
    },
    MillraceScoreBelowBaseline: {
      severity: 'warning',
      expr:
        `(${worse('mae', '>')} or ${worse('accuracy', '<')}) and ignoring (metric, kind, served) ${served} ` +
        `and ignoring (metric) ${metric('millrace_lifetime_scored_rows')} > ${minScoredRows}`,
      forMinutes: 30,
      summary: 'Model {{ $labels.model }} on {{ $labels.instance }} is worse than the baseline',
      description: 'Its recent {{ $labels.metric }} is {{ $value }}; a rule that learns nothing does better.',
    },
    MillraceServedModelOld: {
      severity: 'warning',
      expr:
        `${metric('millrace_newest_version_timestamp_seconds')} - ${metric('millrace_served_version_timestamp_seconds')} ` +
        `> ${maxHeldMinutes * 60} and ${metric('millrace_versions_held_in_a_row')} >= ${minHeldVersions}`,
      forMinutes: 1,
      summary:
        'Newer models are held back on {{ $labels.instance }}: what is served is {{ $value | humanizeDuration }} older',
      description: 'They do worse than the served one on rows with known labels, or an operator has pinned it.',
    },
  } as const satisfies AlertTable;
}

function worse(score: 'mae' | 'accuracy', comparison: '>' | '<'): string {
  const ofModels = metric('millrace_recent_score', { metric: score, model: { not: baselineModel } });
  const ofBaseline = metric('millrace_recent_score', { metric: score, model: baselineModel });
  return `${ofModels} ${comparison} ignoring (model) group_left () ${ofBaseline}`;
}

function predictionAlerts(span: Span) {
  const behind = (of: (lag: string) => string): string =>
    total('millrace_prediction_lag_records', ['topic', 'partition'], of);
  const letters = total(
    'millrace_prediction_dead_letters_total',
    ['reason'],
    (each) => `increase(${each}[${span(10)}])`,
  );
  const predicted = `increase(${metric('millrace_predictions_total', { route: 'topic' })}[${span(10)}])`;
  const requests = (status: { readonly status?: string }): string => {
    const asked = metric('millrace_http_requests_total', { route: predictingRoutes, ...status });
    return `sum without (route, status) (increase(${asked}[${span(5)}]))`;
  };
  return {
    MillracePredictionsWait: {
      severity: 'critical',
      expr: `${metric('millrace_predictions_joined')} == 0`,
      forMinutes: 5,
      summary: 'No predictions flow from {{ $labels.instance }} to their topic',
      description: 'They cannot be read, made or written; the log and the page say why. It is tried again for ever.',
      explains: ['MillracePredictionsBehind'],
    },
    MillracePredictionsBehind: {
      severity: 'warning',
      expr:
        `${behind((lag) => `deriv(${lag}[${span(15)}])`)} > 0 ` +
        `and ${behind((lag) => `min_over_time(${lag}[${span(15)}])`)} > 0`,
      forMinutes: 15,
      summary: 'Predictions of {{ $labels.instance }} fall behind by {{ $value | humanize }} records a second',
      description: 'More records arrive than are predicted.',
    },
    MillracePredictionDeadLetters: {
      severity: 'warning',
      expr: `${letters} / (${letters} + ignoring (route) ${predicted}) > ${maxDeadLetterShare}`,
      forMinutes: 1,
      summary:
        '{{ $value | humanizePercentage }} of the records to predict on {{ $labels.instance }} cannot be predicted',
      description: 'They are in the dead letters with the reason.',
    },
    MillraceRequestsRefused: {
      severity: 'warning',
      expr: `${requests({ status: '503' })} / ${requests({})} > ${maxRefusedShare}`,
      forMinutes: 5,
      summary:
        '{{ $value | humanizePercentage }} of the requests for predictions on {{ $labels.instance }} are refused',
      description: 'No version is served yet, or more requests are under way than http.concurrentRequests.',
    },
  } as const satisfies AlertTable;
}

function processAlerts(span: Span) {
  const lastStep = metric('millrace_last_step_timestamp_seconds');
  const lastSaved = `(${metric('millrace_last_checkpoint_timestamp_seconds')} or ${metric('process_start_time_seconds')})`;
  return {
    MillraceCheckpointFailing: {
      severity: 'critical',
      expr: `increase(${metric('millrace_checkpoint_failures_total')}[${span(5)}]) > 0`,
      forMinutes: 5,
      summary: 'Millrace on {{ $labels.instance }} cannot save what it learned',
      description: 'The disk does not take the checkpoint. It is tried again, and learning waits for it.',
      explains: ['MillraceCheckpointTooOld', ...lateness],
    },
    MillraceCheckpointTooOld: {
      severity: 'warning',
      expr: `${lastStep} - ${lastSaved} > ${maxUnsavedMinutes * 60}`,
      forMinutes: 2,
      summary: 'What {{ $labels.instance }} learned in the last {{ $value | humanizeDuration }} is not saved',
      description: `The newest checkpoint is more than ${maxUnsavedMinutes} minutes older than the newest step.`,
    },
    MillraceMemoryHigh: {
      severity: 'warning',
      expr: `${metric('process_resident_memory_bytes')} / ${metric('millrace_memory_limit_bytes')} > ${maxMemoryShare}`,
      forMinutes: 5,
      summary: 'Millrace on {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory',
      description: 'Above its limit the system ends it; it then goes on from the last checkpoint.',
    },
  } as const satisfies AlertTable;
}
