import type { FastifyInstance, FastifyReply } from 'fastify';
import type { PredictionBatcher } from './prediction-batcher.ts';
import type { FieldFault, PostedRows, ServedVersion } from './predictor.ts';
import { answerLater, holdingPlace, maxRequestRows, predictingRoute } from './requests.ts';
import { predictSchema } from './predict-schema.ts';
import { predictionValue, type PredictionValue } from './prediction-value.ts';
import type { Predictions } from './predictions.ts';

/** One row's answer. */
interface Prediction extends PredictionValue {
  /** Fields that the model saw as missing. */
  readonly missing?: readonly string[];
}

export interface PredictRouteOptions {
  readonly predictions: Predictions;
  readonly batcher: PredictionBatcher;
  readonly maxRequests: number;
}

/** `POST /v1/predict`: raw fields by name, one object or an array of them, predicted by the served model. */
export function predictRoute(app: FastifyInstance, { predictions, batcher, maxRequests }: PredictRouteOptions): void {
  const { served } = predictions;
  const options = { schema: predictSchema, ...predictingRoute(maxRequests) };
  app.post('/v1/predict', options, (request, reply) => {
    const predictor = predictions.predictor();
    // One version for the whole answer, whatever is published meanwhile.
    const version = predictor?.version ?? null;
    if (predictor === null || version === null) return answerLater(reply, predictions.unready, 5);
    const { body } = request;
    const records: readonly unknown[] = Array.isArray(body) ? body : [body];
    if (records.length > maxRequestRows) return tooMany(reply, records.length);
    const posted = predictor.rowsOf(records);
    if (posted.faults.length > 0) return refused(reply, posted.faults, Array.isArray(body));
    return holdingPlace(reply, batcher.predict(version, served, posted.rows)).then((outputs) => {
      if (isRefusedAsInfinite(reply, outputs, version)) return reply;
      predictions.onPredicted(posted.rows.rowCount);
      const text = answer(outputs, { missing: posted.missing, version, isArray: Array.isArray(body) });
      return reply.type('application/json; charset=utf-8').send(text);
    });
  });
}

interface Answered {
  readonly missing: PostedRows['missing'];
  readonly version: ServedVersion;
  readonly isArray: boolean;
}

/** The answer as JSON. */
function answer(outputs: Float64Array, { missing, version, isArray }: Answered): string {
  const rows = missing.map((names, row) => prediction(outputs, row, version.classes, names));
  const said = JSON.stringify(isArray ? { predictions: rows } : rows[0]);
  return `${said.slice(0, -1)},${originOf(version)}}`;
}

/** Of each version once: with many partitions it is most of an answer. */
const origins = new WeakMap<ServedVersion, string>();

/** The members that say which version answers, as JSON. */
function originOf(version: ServedVersion): string {
  const known = origins.get(version);
  if (known !== undefined) return known;
  const { id: modelVersion, step, trainedThrough } = version;
  const origin = JSON.stringify({ modelVersion, step, trainedThrough }).slice(1, -1);
  origins.set(version, origin);
  return origin;
}

/** Answers 422 and returns true where numbers overflow on their way through a model. */
export function isRefusedAsInfinite(reply: FastifyReply, outputs: Float64Array, { classes }: ServedVersion): boolean {
  const bad = outputs.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return false;
  const row = Math.floor(bad / (classes?.length ?? 1));
  const error = `the prediction of row ${row} is not finite: its features are far outside of what the model has seen`;
  void reply.code(422).send({ error });
  return true;
}

function prediction(
  outputs: Float64Array,
  row: number,
  classes: readonly string[] | null,
  missing: readonly string[],
): Prediction {
  return { ...predictionValue(outputs, row, classes), ...(missing.length === 0 ? {} : { missing }) };
}

function tooMany(reply: FastifyReply, rows: number): FastifyReply {
  return reply.code(413).send({ error: `${rows} rows are too many for one request; send at most ${maxRequestRows}` });
}

function refused(reply: FastifyReply, faults: readonly FieldFault[], isArray: boolean): FastifyReply {
  const [first] = faults;
  const place = first === undefined ? '' : faultText(first, isArray);
  return reply.code(400).send({ error: place, faults });
}

function faultText({ row, field, expected, found }: FieldFault, isArray: boolean): string {
  const place = [...(isArray ? [`row ${row}`] : []), ...(field === '' ? [] : [field])].join(', ');
  return `${place === '' ? 'the body' : place}: expected ${expected}, found ${found}`;
}
