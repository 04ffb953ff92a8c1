import { filterReasons, rejectReasons } from '../records.ts';
import { predictionMetrics } from './prediction-metrics.ts';
import { promotionMetrics } from './promotion-metrics.ts';

/** The values a label may have: listed, or where they come from and that this is a closed set. */
export type LabelValues = readonly string[] | string;

/** One metric: from these come the metrics themselves, docs/metrics.md, dashboards and alerts. */
export interface MetricDefinition {
  readonly name: `millrace_${string}`;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit:
    | 'records'
    | 'rows'
    | 'values'
    | 'bytes'
    | 'seconds'
    | 'batches'
    | 'keys'
    | 'offsets'
    | 'steps'
    | 'times'
    | 'score'
    | 'none';
  readonly help: string;
  readonly labels?: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram's buckets, ascending, in its unit. */
  readonly buckets?: readonly number[];
  /** Labels of a histogram's exemplars, and what each says. */
  readonly exemplar?: Readonly<Record<string, string>>;
}

/** Label value under which the baseline's scores appear beside those of the models. */
export const baselineModel = 'baseline';

const partitions = { topic: 'the topics of the configuration', partition: 'the partitions of the topic' } as const;
const models = { model: `the models of the configuration, and "${baselineModel}"` } as const;
const modelScores = {
  ...models,
  metric: ['mae', 'rmse', 'r2', 'accuracy', 'logLoss', 'macroF1', 'kappa'],
} as const;

/** The labels of an exemplar, names and values together, may have 128 characters (OpenMetrics 1.0); the others take 64 at the most. */
export const maxTopicLength = 64;

const blockSeconds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const stepSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const checkpointSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const stepRows = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

export const metricDefinitions = [
  // Records
  {
    name: 'millrace_records_read_total',
    type: 'counter',
    unit: 'records',
    help: 'Records read from the source by this process.',
  },
  { name: 'millrace_read_bytes_total', type: 'counter', unit: 'bytes', help: 'Bytes of keys and values read.' },
  {
    name: 'millrace_records_total',
    type: 'counter',
    unit: 'records',
    help: 'Records that found their outcome in this process, by outcome.',
    labels: { outcome: ['trained', 'rejected', 'filtered', 'unlabelled'] },
  },
  {
    name: 'millrace_lifetime_records',
    type: 'gauge',
    unit: 'records',
    help: "Records of the pipeline's whole life, across restarts: read = trained + rejected + filtered + unlabelled + pending.",
    labels: { outcome: ['read', 'trained', 'rejected', 'filtered', 'unlabelled', 'pending'] },
  },
  {
    name: 'millrace_dead_letters_total',
    type: 'counter',
    unit: 'records',
    help: 'Records sent to the dead letter, by reason.',
    labels: { reason: rejectReasons },
  },
  {
    name: 'millrace_filtered_records_total',
    type: 'counter',
    unit: 'records',
    help: 'Good records left out on purpose, by reason.',
    labels: { reason: filterReasons },
  },
  {
    name: 'millrace_missing_values_total',
    type: 'counter',
    unit: 'values',
    help: 'Values that were missing in good records and became the mean, by field.',
    labels: { field: 'the fields of the configuration' },
  },
  {
    name: 'millrace_keys_evicted_total',
    type: 'counter',
    unit: 'keys',
    help: 'Keys that left the key table because limits.keys was reached.',
  },

  // Source
  {
    name: 'millrace_source_joined',
    type: 'gauge',
    unit: 'none',
    help: '1 while the source can read, 0 before it joined and while it is interrupted.',
  },
  {
    name: 'millrace_source_interruptions_total',
    type: 'counter',
    unit: 'times',
    help: 'Times that the source told it cannot read and tries again.',
  },
  {
    name: 'millrace_registry_retries_total',
    type: 'counter',
    unit: 'times',
    help: 'Schema look-ups that failed and were tried again.',
  },
  {
    name: 'millrace_offsets_skipped_total',
    type: 'counter',
    unit: 'offsets',
    help: 'Offsets that were no longer (or not yet) in the log and were skipped by source policy: lost to training.',
  },
  {
    name: 'millrace_lag_records',
    type: 'gauge',
    unit: 'records',
    help: 'Records between what was read and the end of the partition.',
    labels: partitions,
  },
  {
    name: 'millrace_lag_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Age of the oldest record that the trainer has not seen, 0 where there is none.',
  },
  {
    name: 'millrace_event_time_lag_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Now minus the event time of the newest learned record: years where old data is played.',
  },
  {
    name: 'millrace_freshness_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Now minus the record timestamp of the newest learned record.',
  },
  {
    name: 'millrace_newest_learned_record_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Record timestamp (of the producer or the broker) of the newest learned record.',
  },
  {
    name: 'millrace_newest_learned_event_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Event time of the newest learned record.',
  },
  {
    name: 'millrace_credit_used_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Bytes of blocks handed on by the source and not yet released.',
  },
  {
    name: 'millrace_credit_limit_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Bytes at which the source waits (limits.creditBytes).',
  },

  // Operators
  {
    name: 'millrace_decode_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time to decode one block.',
    buckets: blockSeconds,
  },
  {
    name: 'millrace_derive_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time to make features of one block.',
    buckets: blockSeconds,
  },
  {
    name: 'millrace_normalize_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time to learn and apply the normalizer over one block.',
    buckets: blockSeconds,
  },
  {
    name: 'millrace_batches_total',
    type: 'counter',
    unit: 'batches',
    help: 'Batches sealed, by what sealed them: full, oldest row waited batch.maxDelay, end of bounded input.',
    labels: { cause: ['rows', 'delay', 'end'] },
  },
  {
    name: 'millrace_ring_depth_batches',
    type: 'gauge',
    unit: 'batches',
    help: 'Batches in the ring that wait for the trainer.',
  },
  {
    name: 'millrace_ring_capacity_batches',
    type: 'gauge',
    unit: 'batches',
    help: 'Batches that the ring holds (limits.ringBytes); the pipeline waits when it is full.',
  },

  // Training
  {
    name: 'millrace_step_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of the trainer for one batch: predict, match labels, score, learn.',
    buckets: stepSeconds,
    exemplar: {
      topic: `where most rows of the batch came from; of a name of more than ${maxTopicLength} characters its end, after an ellipsis`,
      partition: 'its partition',
      offsets: 'offsets there of the first and the last row of the batch, as `100-163`',
    },
  },
  {
    name: 'millrace_step_rows',
    type: 'histogram',
    unit: 'rows',
    help: 'Rows learned in one step.',
    buckets: stepRows,
  },
  {
    name: 'millrace_last_step_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When the latest step that learned rows ended.',
  },
  {
    name: 'millrace_pending_labels',
    type: 'gauge',
    unit: 'rows',
    help: 'Predicted rows that wait for their label.',
  },
  {
    name: 'millrace_oldest_pending_label_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Event time of the oldest row that waits for its label; absent where none waits.',
  },
  {
    name: 'millrace_withheld_steps_in_a_row',
    type: 'gauge',
    unit: 'steps',
    help: 'Steps of the served model not applied in a row because they were not finite.',
  },
  {
    name: 'millrace_loss',
    type: 'gauge',
    unit: 'score',
    help: 'Mean loss of the latest step, in standardized units.',
    labels: models,
  },
  {
    name: 'millrace_score',
    type: 'gauge',
    unit: 'score',
    help: 'Prequential score over all scored predictions, in original units of the target.',
    labels: modelScores,
  },
  {
    name: 'millrace_recent_score',
    type: 'gauge',
    unit: 'score',
    help: 'Prequential score over a fading window (scores.memory).',
    labels: modelScores,
  },
  {
    name: 'millrace_lifetime_scored_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Predictions scored in the whole life of the model.',
    labels: models,
  },
  {
    name: 'millrace_lifetime_steps',
    type: 'gauge',
    unit: 'steps',
    help: 'Steps applied in the whole life of the model.',
    labels: models,
  },
  {
    name: 'millrace_lifetime_withheld_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Rows whose step was not applied because it was not finite, in the whole life of the model.',
    labels: models,
  },

  // Checkpoints
  {
    name: 'millrace_checkpoint_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from the barrier to the durable checkpoint.',
    buckets: checkpointSeconds,
  },
  {
    name: 'millrace_checkpoint_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Size of the latest checkpoint.',
  },
  {
    name: 'millrace_last_checkpoint_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When the latest checkpoint became durable.',
  },
  {
    name: 'millrace_checkpoint_failures_total',
    type: 'counter',
    unit: 'times',
    help: 'Checkpoints that could not be written.',
  },
  {
    name: 'millrace_damaged_checkpoints_total',
    type: 'counter',
    unit: 'times',
    help: 'Checkpoints found damaged and passed over.',
  },

  ...promotionMetrics,
  ...predictionMetrics,

  // What runs here
  {
    name: 'millrace_ready',
    type: 'gauge',
    unit: 'none',
    help: '1 while /v2/health/ready answers 200.',
  },
  {
    name: 'millrace_memory_limit_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: "Memory that the process may use: its container's limit where there is one, else the machine's memory.",
  },
  {
    name: 'millrace_build_info',
    type: 'gauge',
    unit: 'none',
    help: 'Always 1; says which version runs on which Node.',
    labels: { version: 'the version of Millrace', node: 'the version of Node' },
  },
  {
    name: 'millrace_config_info',
    type: 'gauge',
    unit: 'none',
    help: 'Always 1; says which configuration runs.',
    labels: {
      pipeline: 'the name in the configuration',
      digest: 'the digest of the configuration',
      backend: ['tensorflow', 'webgpu', 'wasm', 'cpu'],
    },
  },
  {
    name: 'millrace_model_info',
    type: 'gauge',
    unit: 'none',
    help: 'Always 1; says what each model is and which one serves.',
    labels: { ...models, kind: 'the kinds of learners', served: ['true', 'false'] },
  },
] as const satisfies readonly MetricDefinition[];

type Known = (typeof metricDefinitions)[number];

/** Names of all metrics of one type. */
export type MetricName<Type extends MetricDefinition['type'] = MetricDefinition['type']> = Extract<
  Known,
  { readonly type: Type }
>['name'];

type LabelsOf<Name extends MetricName> =
  Extract<Known, { readonly name: Name }> extends { readonly labels: infer Labels } ? Labels : never;

/** Names of the labels of a metric. */
export type LabelName<Name extends MetricName> = keyof LabelsOf<Name> & string;

/** Names of the labels of a metric's exemplars. */
export type ExemplarLabel<Name extends MetricName> =
  Extract<Known, { readonly name: Name }> extends { readonly exemplar: infer Labels } ? keyof Labels & string : never;

/** Values of a label: one of its closed set where that is listed, else any text. */
export type LabelValue<
  Name extends MetricName,
  Label extends LabelName<Name>,
> = LabelsOf<Name>[Label] extends readonly (infer Value extends string)[] ? Value : string;
