/** A client of a running pipeline's predictions and versions, for Node and browsers: `import { millraceClient } from 'millrace/client'`. */

export interface ClientOptions {
  /** Where the pipeline serves, such as `http://127.0.0.1:9464`. */
  readonly url: string;
  /** A request that takes longer fails with a `TimeoutError`; 10 s by default. */
  readonly timeoutMs?: number;
  /** The bearer token that changing what is served asks for. */
  readonly token?: string | null;
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

/** What the served model says of one record. */
export interface Prediction {
  /** In original units, or the likeliest class; null while no class is known. */
  readonly value: number | string | null;
  /** By class; only for classification. */
  readonly probabilities?: Readonly<Record<string, number>>;
  /** Fields that the model saw as missing. */
  readonly missing?: readonly string[];
}

/** How the losses of a version compare with those of another on the same rows. */
export interface LossComparison {
  readonly rows: number;
  /** Mean absolute error in original units, or mean log loss. */
  readonly loss: number;
  readonly otherLoss: number;
  /** By what fraction the loss lies above the other's: the median over blocks of rows, and its confidence bounds. */
  readonly change: number;
  readonly atLeast: number;
  readonly atMost: number;
}

/** A decision about which version is served. */
export interface VersionDecision {
  readonly action: 'promoted' | 'held' | 'returned' | 'pinned' | 'unpinned' | 'rolledBack';
  readonly version: string;
  /** The version that it was compared with, or that it replaced. */
  readonly other: string | null;
  readonly message: string;
  readonly recent: LossComparison | null;
  readonly past: LossComparison | null;
  readonly atMs: number;
}

/** Versions that are kept, newest first, and which is served. */
export interface VersionList {
  readonly served: string | null;
  readonly previous: string | null;
  readonly isPinned: boolean;
  /** Versions that were not promoted since the last one that was. */
  readonly heldInARow: number;
  readonly versions: readonly {
    readonly id: string;
    readonly step: number;
    /** ISO 8601. */
    readonly savedAt: string;
    /** Next offset by `topic:partition`. */
    readonly positions: Readonly<Record<string, number>>;
    /** Recent scores of the served model when the version was saved. */
    readonly scores: Readonly<Record<string, number | null>>;
    readonly isServed: boolean;
    readonly isPinned: boolean;
    /** The latest decision about it; null where it was never judged. */
    readonly decision: VersionDecision | null;
  }[];
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

/** Asks one pipeline; each call is one request. */
export interface MillraceClient {
  /** @throws MillraceError where the record does not fit or there is no model yet. */
  predict(record: ClientRecord): Promise<Prediction & Origin>;
  /** At most 1,024 records, all predicted by one version, in their order. @throws MillraceError as `predict` */
  predictMany(records: readonly ClientRecord[]): Promise<Origin & { readonly predictions: readonly Prediction[] }>;
  /** Why the pipeline is not ready; empty where it is. */
  notReady(): Promise<readonly string[]>;
  /** Versions that are kept, and which is served. @throws MillraceError as `predict` */
  versions(): Promise<VersionList>;
  /** Serves a version until `unpin`. @throws MillraceError 409 where it is not there, 401 without the token. */
  pin(version: string): Promise<VersionList>;
  /** Lets newer versions replace the pinned one again. @throws MillraceError 409 where none is pinned. */
  unpin(): Promise<VersionList>;
  /** Serves the version before the served one until `unpin`. @throws MillraceError 409 where there is none. */
  rollBack(): Promise<VersionList>;
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
export function millraceClient({ url, timeoutMs = 10_000, token = null }: ClientOptions): MillraceClient {
  const base = url.replace(/\/+$/, '');
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  const answered = async (asked: Promise<Response>): Promise<unknown> => {
    const answer = await asked;
    if (!answer.ok) throw await errorOf(answer);
    return answer.json();
  };
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  const post = (path: string, body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', ...authorization };
    return answered(ask(path, { method: 'POST', headers, body: JSON.stringify(body) }));
  };
  const predict = (body: unknown): Promise<unknown> => post('/v1/predict', body);
  const change = (what: string, body: object = {}): Promise<VersionList> =>
    post(`/v1/models/${what}`, body) as Promise<VersionList>;
  return {
    predict: (record) => predict(record) as Promise<Prediction & Origin>,
    predictMany: (records) => predict(records) as Promise<Origin & { readonly predictions: readonly Prediction[] }>,
    versions: () => answered(ask('/v1/models')) as Promise<VersionList>,
    pin: (version) => change('pin', { version }),
    unpin: () => change('unpin'),
    rollBack: () => change('rollback'),
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
