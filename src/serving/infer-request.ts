import { isTooDeep } from '../json-depth.ts';
import { maxRequestDepth, maxRequestRows, tooDeep } from './requests.ts';

/** The one input and the one output of every model. */
export const inputName = 'features';
export const outputName = 'prediction';

/** A request of the Open Inference Protocol, with its tensor read. */
export interface InferRequest {
  readonly id: string | null;
  /** [rowCount × columnCount], row-major; NaN is missing. */
  readonly features: Float64Array;
  readonly rowCount: number;
  /** True where the output shall follow the answer's JSON as bytes. */
  readonly wantsBinary: boolean;
}

/** What is wrong with a request. Its message is for the caller. */
export class InferRequestError extends Error {
  override readonly name = 'InferRequestError';
}

type Fields = Readonly<Record<string, unknown>>;

const widths = { FP32: 4, FP64: 8 } as const;

/**
 * Reads the body of an infer request: JSON alone, or JSON of `jsonLength` bytes with the tensors behind it.
 * @throws InferRequestError that names the part of the request that does not fit.
 */
export function inferRequest(body: Uint8Array, jsonLength: number | null, columnCount: number): InferRequest {
  const request = parsed(jsonLength === null ? body : body.subarray(0, jsonLength));
  const tensors = jsonLength === null ? new Uint8Array(0) : body.subarray(jsonLength);
  const inputs = request['inputs'];
  if (!Array.isArray(inputs) || inputs.length !== 1) throw wrong('inputs', `one tensor named ${inputName}`);
  const input = fieldsOf(inputs[0]);
  if (input['name'] !== inputName) throw wrong('inputs[0].name', inputName);
  const { datatype } = input;
  if (datatype !== 'FP32' && datatype !== 'FP64') throw wrong(`inputs[0].datatype`, 'FP32 or FP64');
  const rowCount = rowCountOf(input['shape'], columnCount);
  const length = rowCount * columnCount;
  const byteLength = parametersOf(input)['binary_data_size'];
  const values =
    byteLength === undefined
      ? numbersIn(input['data'], length)
      : numbersAt(tensors, byteLength, length, widths[datatype]);
  if (byteLength === undefined && tensors.length > 0) throw wrong('the body', 'nothing behind the JSON');
  const id = request['id'];
  return {
    id: typeof id === 'string' ? id : null,
    features: datatype === 'FP32' ? Float64Array.from(values, Math.fround) : values,
    rowCount,
    wantsBinary: wantsBinary(request),
  };
}

function parsed(json: Uint8Array): Fields {
  try {
    if (!isTooDeep(json, maxRequestDepth))
      return fieldsOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)));
  } catch {
    throw wrong(
      'the body',
      'a JSON object, in as many bytes as Inference-Header-Content-Length says where tensors follow',
    );
  }
  throw new InferRequestError(tooDeep);
}

function rowCountOf(shape: unknown, columnCount: number): number {
  const [rows, columns, ...more] = Array.isArray(shape) ? (shape as unknown[]) : [];
  const isShape = Number.isSafeInteger(rows) && (rows as number) >= 1 && columns === columnCount && more.length === 0;
  if (!isShape) throw wrong('inputs[0].shape', `[rows, ${columnCount}]`);
  if ((rows as number) > maxRequestRows) throw wrong('inputs[0].shape', `at most ${maxRequestRows} rows`);
  return rows as number;
}

/** Numbers of `data`, flat or nested row by row; null is missing. */
function numbersIn(data: unknown, length: number): Float64Array {
  const flat = Array.isArray(data) ? (data as unknown[]).flat() : [];
  if (flat.length !== length) throw wrong('inputs[0].data', `${length} numbers`);
  const values = new Float64Array(length);
  for (const [index, value] of flat.entries()) {
    if (value === null) values[index] = Number.NaN;
    else if (typeof value === 'number' && Number.isFinite(value)) values[index] = value;
    else throw wrong(`inputs[0].data[${index}]`, 'a finite number, or null where it is missing');
  }
  return values;
}

/** Little-endian numbers behind the JSON; NaN is missing. */
function numbersAt(tensors: Uint8Array, byteLength: unknown, length: number, width: 4 | 8): Float64Array {
  if (byteLength !== length * width) throw wrong('inputs[0].parameters.binary_data_size', `${length * width}`);
  if (tensors.length !== byteLength) throw wrong('the body', `${byteLength} bytes behind the JSON`);
  const view = new DataView(tensors.buffer, tensors.byteOffset, tensors.byteLength);
  const values = new Float64Array(length);
  for (let index = 0; index < length; index += 1) {
    const value = width === 4 ? view.getFloat32(4 * index, true) : view.getFloat64(8 * index, true);
    if (Math.abs(value) === Infinity) throw wrong(`the tensor's number ${index}`, 'finite, or NaN where it is missing');
    values[index] = value;
  }
  return values;
}

function wantsBinary(request: Fields): boolean {
  const byDefault = parametersOf(request)['binary_data_output'] === true;
  const { outputs } = request as { readonly outputs?: unknown };
  if (outputs === undefined) return byDefault;
  const output = Array.isArray(outputs) && outputs.length === 1 ? fieldsOf(outputs[0]) : {};
  if (output['name'] !== outputName) throw wrong('outputs', `one tensor named ${outputName}`);
  const own = parametersOf(output)['binary_data'];
  return own === undefined ? byDefault : own === true;
}

function parametersOf(holder: Fields): Fields {
  const parameters = holder['parameters'];
  return parameters === undefined ? {} : fieldsOf(parameters);
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('the request', 'objects as the protocol has them');
  return value as Fields;
}

function wrong(place: string, expected: string): InferRequestError {
  return new InferRequestError(`${place}: expected ${expected}`);
}
