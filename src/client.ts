/** A client of a running pipeline's predictions, for Node and browsers: `import { millraceClient } from 'millrace/client'`. */

export interface ClientOptions {
  /** Where the pipeline serves, such as `http://127.0.0.1:9464`. */
  readonly url: string;
  /** A request that takes longer fails with a `TimeoutError`; 10 s by default. */
  readonly timeoutMs?: number;
}

/** A record as the stream has them; null and what is absent are missing. */
export type ClientRecord = Readonly<Record<string, unknown>>;

/** What made a prediction. */
export interface Origin {
  /** The checkpoint of the model. */
  readonly modelVersion: string;
  /** Steps that the model had learned. */
  readonly step: number;
  /** Event time (ISO 8601) of the newest record learned, null where none was, and next offset by `topic:partition`. */
  readonly trainedThrough: { readonly time: string | null; readonly positions: Readonly<Record<string, number>> };
}

export interface Prediction {
  /** In original units, or the likeliest class; null while no class is known. */
  readonly value: number | string | null;
  /** By class; only for classification. */
  readonly probabilities?: Readonly<Record<string, number>>;
  /** Fields that the model saw as missing. */
  readonly missing?: readonly string[];
}

/** What is wrong with a field of a record. */
export interface FieldFault {
  readonly row: number;
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** The pipeline's answer where it is no prediction. The message is the pipeline's own. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  /** Status of the HTTP answer. */
  readonly status: number;
  /** Seconds after which it may be tried again; null where that will not help. */
  readonly retryAfterSeconds: number | null;
  readonly faults: readonly FieldFault[];

  constructor(message: string, status: number, retryAfterSeconds: number | null, faults: readonly FieldFault[]) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
    this.faults = faults;
  }
}

export interface MillraceClient {
  /** @throws MillraceError where the record does not fit or there is no model yet. */
  predict(record: ClientRecord): Promise<Prediction & Origin>;
  /** At most 1,024 records, all predicted by one version, in their order. @throws MillraceError as `predict` */
  predictMany(records: readonly ClientRecord[]): Promise<Origin & { readonly predictions: readonly Prediction[] }>;
  /** Why the pipeline is not ready; empty where it is. */
  notReady(): Promise<readonly string[]>;
}

interface Refusal {
  readonly error?: string;
  readonly faults?: readonly FieldFault[];
  readonly reasons?: readonly string[];
}

/**
 * Asks the pipeline that serves at a URL. Nothing is tried again: what may be says so by `retryAfterSeconds`.
 *
 * @example
 * const client = millraceClient({ url: 'http://127.0.0.1:9464' });
 * const { value, modelVersion } = await client.predict({ turbineId: 't1', windSpeed: 7.5 });
 */
export function millraceClient({ url, timeoutMs = 10_000 }: ClientOptions): MillraceClient {
  const base = url.replace(/\/+$/, '');
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  const post = async (body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await ask('/v1/predict', { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw await errorOf(answer);
    return answer.json();
  };
  return {
    predict: (record) => post(record) as Promise<Prediction & Origin>,
    predictMany: (records) => post(records) as Promise<Origin & { readonly predictions: readonly Prediction[] }>,
    notReady: async () => {
      const answer = await ask('/v2/health/ready');
      const { reasons = [] } = await documentOf(answer);
      if (answer.ok || answer.status === 503) return reasons;
      throw await errorOf(answer);
    },
  };
}

async function errorOf(answer: Response): Promise<MillraceError> {
  const { error = `HTTP status ${answer.status}`, faults = [] } = await documentOf(answer);
  const retryAfter = answer.headers.get('retry-after');
  return new MillraceError(error, answer.status, retryAfter === null ? null : Number(retryAfter), faults);
}

/** What a proxy in between says is no document of ours. */
async function documentOf(answer: Response): Promise<Refusal> {
  try {
    return (await answer.json()) as Refusal;
  } catch {
    return {};
  }
}
