import { rejectReasons } from '../records.ts';

const answerSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const transactionSeconds = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Requests over HTTP, and predictions by way of HTTP and of a topic; a part of the metrics of `definitions.ts`. */
export const predictionMetrics = [
  {
    name: 'millrace_http_requests_total',
    type: 'counter',
    unit: 'times',
    help: 'Requests answered, by route and HTTP status; 503 where it was too early or there were too many at a time.',
    labels: { route: 'the routes of docs/http.md, or "none"', status: 'the statuses that they answer' },
  },
  {
    name: 'millrace_http_prediction_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from the head of a request for predictions to the end of its answer.',
    buckets: answerSeconds,
  },
  {
    name: 'millrace_predictions_total',
    type: 'counter',
    unit: 'rows',
    help: 'Rows predicted, by how they were asked for: over HTTP, or as records of the topic predict.from.',
    labels: { route: ['http', 'topic'] },
  },
  {
    name: 'millrace_predictions_joined',
    type: 'gauge',
    unit: 'none',
    help: '1 while predictions flow to the topic predict.to, 0 while they wait: for the first version, a broker, the registry; absent without predict.',
  },
  {
    name: 'millrace_prediction_interruptions_total',
    type: 'counter',
    unit: 'times',
    help: 'Times that predictions to a topic told they cannot go on and try again.',
  },
  {
    name: 'millrace_prediction_lag_records',
    type: 'gauge',
    unit: 'records',
    help: 'Records of predict.from that are not predicted yet.',
    labels: { topic: 'predict.from', partition: 'the partitions of the topic' },
  },
  {
    name: 'millrace_prediction_transaction_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time to predict the records of one transaction, to write what comes of them and to commit it.',
    buckets: transactionSeconds,
  },
  {
    name: 'millrace_prediction_dead_letters_total',
    type: 'counter',
    unit: 'records',
    help: 'Records of predict.from that could not be predicted and went to the dead letter, by reason.',
    labels: { reason: rejectReasons },
  },
  {
    name: 'millrace_prediction_offsets_skipped_total',
    type: 'counter',
    unit: 'offsets',
    help: 'Offsets of predict.from that were no longer (or not yet) in the log and were skipped by source policy: never predicted.',
  },
] as const;
