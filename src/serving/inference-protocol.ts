import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { InferRequestError, inferRequest, inputName, outputName, type InferRequest } from './infer-request.ts';
import { indexSchema, inferSchema, modelSchema, readySchema, serverSchema } from './inference-schema.ts';
import { isRefusedAsInfinite } from './predict-route.ts';
import type { PredictionBatcher } from './prediction-batcher.ts';
import type { Predictions } from './predictions.ts';
import type { Predictor, ServedVersion } from './predictor.ts';
import { answerLater, holdingPlace, predictingRoute } from './requests.ts';

export interface ProtocolOptions {
  readonly predictions: Predictions;
  readonly batcher: PredictionBatcher;
  /** Version of the program. */
  readonly version: string;
  readonly maxRequests: number;
}

type InferOptions = Pick<ProtocolOptions, 'predictions' | 'batcher'>;

/** A model that was asked for and is there. */
interface Found {
  readonly model: string;
  readonly predictor: Predictor;
  readonly version: ServedVersion;
}

type ModelRequest = FastifyRequest<{ Params: { readonly name: string; readonly version?: string } }>;

const jsonLengthHeader = 'inference-header-content-length';
const paths = ['/v2/models/:name', '/v2/models/:name/versions/:version'];

/** Finds the model that a request names, or answers why it cannot be had. */
type Find = (request: ModelRequest, reply: FastifyReply) => Found | null;

/**
 * The Open Inference Protocol v2 over HTTP, with the binary tensor extension: every model of the pipeline takes one tensor of
 * features, before normalization, and gives one of predictions. In two plugins: what infers, and what tells of the server and its models.
 */
export function inferenceProtocol({ version, maxRequests, ...parts }: ProtocolOptions) {
  const { predictions } = parts;
  const keys = protocolNames(predictions);
  const find = finder(keys, predictions);
  return {
    infer: (app: FastifyInstance, _options: object, done: () => void): void => {
      takeAnyBody(app);
      for (const path of paths) inferRoute(app, path, find, { maxRequests, ...parts });
      done();
    },
    metadata: (app: FastifyInstance, _options: object, done: () => void): void => {
      takeAnyBody(app);
      const extensions = ['binary_tensor_data'];
      app.get('/v2', { schema: serverSchema }, () => ({ name: 'millrace', version, extensions }));
      app.post('/v2/repository/index', { schema: indexSchema, config: { isReading: true } }, () => {
        const served = predictions.predictor()?.version ?? null;
        return [...keys].map(([name, key]) => {
          const reason = served === null ? predictions.unready : (served.refusal(key) ?? '');
          return { name, version: served?.id ?? '', state: reason === '' ? 'READY' : 'UNAVAILABLE', reason };
        });
      });
      for (const path of paths) modelRoutes(app, path, find);
      done();
    },
  };
}

/** Bodies are read here: clients send JSON with tensors behind it, and often no type at all. */
function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => {
    parsed(null, body);
  });
}

/** Keys of the models by their names in the protocol. */
function protocolNames({ name, served, models }: Predictions): ReadonlyMap<string, string> {
  const others = models.filter((key) => key !== served);
  return new Map([[name, served], ...others.map((key) => [`${name}.${key}`, key] as const)]);
}

function finder(keys: ReadonlyMap<string, string>, predictions: Predictions): Find {
  return ({ params }, reply) => {
    const refuse = (status: number, error: string): null => {
      void reply.code(status).send({ error });
      return null;
    };
    const model = keys.get(params.name);
    if (model === undefined) return refuse(404, `no such model; there are ${[...keys.keys()].join(', ')}`);
    const predictor = predictions.predictor();
    const version = predictor?.version ?? null;
    if (predictor === null || version === null) {
      void answerLater(reply, predictions.unready, 5);
      return null;
    }
    if (params.version === undefined || params.version === version.id) return { model, predictor, version };
    return refuse(404, `this version is not served; it is ${version.id} now`);
  };
}

function modelRoutes(app: FastifyInstance, path: string, find: Find): void {
  app.get(path, { schema: modelSchema }, (request: ModelRequest, reply) => {
    const found = find(request, reply);
    return found === null ? reply : reply.send(metadata(request.params.name, found));
  });
  app.get(`${path}/ready`, { schema: readySchema }, (request: ModelRequest, reply) => {
    const found = find(request, reply);
    if (found === null) return reply;
    const refusal = found.version.refusal(found.model);
    if (refusal !== null) return reply.code(501).send({ error: refusal });
    return reply.send({ name: request.params.name, ready: true });
  });
}

function inferRoute(
  app: FastifyInstance,
  path: string,
  find: Find,
  { maxRequests, ...parts }: InferOptions & Pick<ProtocolOptions, 'maxRequests'>,
): void {
  const options = { schema: inferSchema, ...predictingRoute(maxRequests) };
  app.post(`${path}/infer`, options, (request: ModelRequest, reply) => {
    const found = find(request, reply);
    return found === null ? reply : infer(request, reply, found, parts);
  });
}

function metadata(name: string, { predictor, version }: Found): object {
  return {
    name,
    versions: [version.id],
    platform: 'millrace',
    inputs: [{ name: inputName, datatype: 'FP64', shape: [-1, predictor.columns.length] }],
    outputs: [{ name: outputName, datatype: 'FP64', shape: [-1, outputWidth(version)] }],
    parameters: { columns: predictor.columns.join(','), ...originParameters(version) },
  };
}

function outputWidth({ classes }: ServedVersion): number {
  return classes?.length ?? 1;
}

/** Parameters are plain values in the protocol, so what has parts is JSON in a text. */
function originParameters({ step, trainedThrough, classes }: ServedVersion): Readonly<Record<string, string | number>> {
  return {
    step,
    ...(trainedThrough.time === null ? {} : { trained_through: trainedThrough.time }),
    trained_through_positions: JSON.stringify(trainedThrough.positions),
    ...(classes === null ? {} : { classes: JSON.stringify(classes) }),
  };
}

function infer(
  request: ModelRequest,
  reply: FastifyReply,
  { model, predictor, version }: Found,
  { batcher, predictions }: InferOptions,
): FastifyReply | Promise<FastifyReply> {
  const refusal = version.refusal(model);
  if (refusal !== null) return reply.code(501).send({ error: refusal });
  if (request.headers['content-encoding'] !== undefined) {
    return reply.code(415).send({ error: 'a compressed body is not read; send it as it is' });
  }
  let asked: InferRequest;
  try {
    asked = inferRequest((request.body ?? Buffer.alloc(0)) as Buffer, jsonLengthOf(request), predictor.columns.length);
  } catch (error) {
    if (error instanceof InferRequestError) return reply.code(400).send({ error: error.message });
    throw error;
  }
  const predicted = batcher.predict(version, model, predictor.rowsOfFeatures(asked.features));
  return holdingPlace(reply, predicted).then((outputs) => {
    if (isRefusedAsInfinite(reply, outputs, version)) return reply;
    predictions.onPredicted(asked.rowCount);
    return answer(reply, asked, outputs, { name: request.params.name, version });
  });
}

/** @throws InferRequestError where the header is no number of bytes. */
function jsonLengthOf({ headers }: FastifyRequest): number | null {
  const text = headers[jsonLengthHeader];
  if (text === undefined) return null;
  if (typeof text === 'string' && /^\d{1,9}$/.test(text)) return Number(text);
  throw new InferRequestError(`${jsonLengthHeader}: expected a number of bytes`);
}

function answer(
  reply: FastifyReply,
  { id, rowCount, wantsBinary }: InferRequest,
  outputs: Float64Array,
  { name, version }: { readonly name: string; readonly version: ServedVersion },
): FastifyReply {
  const tensor = { name: outputName, datatype: 'FP64', shape: [rowCount, outputWidth(version)] };
  const head = {
    model_name: name,
    model_version: version.id,
    ...(id === null ? {} : { id }),
    parameters: originParameters(version),
  };
  if (!wantsBinary) return reply.send({ ...head, outputs: [{ ...tensor, data: [...outputs] }] });
  const parameters = { binary_data_size: outputs.byteLength };
  const json = Buffer.from(JSON.stringify({ ...head, outputs: [{ ...tensor, parameters }] }));
  // Every machine that Node runs on is little-endian, as the protocol is.
  const bytes = Buffer.from(outputs.buffer, outputs.byteOffset, outputs.byteLength);
  return reply
    .header('content-type', 'application/octet-stream')
    .header(jsonLengthHeader, json.length)
    .send(Buffer.concat([json, bytes]));
}
