import { setTimeout as sleep } from 'node:timers/promises';
import { DecodeError, messageOf } from '../errors.ts';
import type { Telemetry } from '../telemetry.ts';
import type { SchemaStore } from './avro-codec.ts';
import type { HttpAnswer } from './http-exchange.ts';
import { httpExchange } from './http-exchange.ts';

/** Where the registry is, and how long to be patient. */
export interface SchemaRegistryOptions {
  /** Where the Confluent API begins, such as `http://host:8081` or `https://host/apis/ccompat/v7`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly ca?: string;
  /** For how long a registry that does not serve is tried again, ms; null means for ever. */
  readonly patienceMs: number | null;
  readonly telemetry: Telemetry;
  /** First and longest pause between two tries, ms; each is shortened by a random part. */
  readonly retryMs?: { readonly first: number; readonly longest: number };
  readonly timeoutMs?: number;
  readonly maxResponseBytes?: number;
}

/** What the registry says about a subject. */
export interface RegisteredSchema {
  readonly id: number;
  readonly schemaText: string;
}

type Read<T> = (answer: HttpAnswer) => { readonly value: T } | null;

const mediaType = 'application/vnd.schemaregistry.v1+json';

/** A registry with Confluent's HTTP API. What it does not answer for good it is asked again, with growing pauses. */
export class SchemaRegistry implements SchemaStore {
  readonly #options: SchemaRegistryOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #inFlight = new Map<number, Promise<string | null>>();

  constructor(options: SchemaRegistryOptions) {
    this.#options = options;
    const { username, password = '' } = options;
    const credentials = Buffer.from(`${username ?? ''}:${password}`).toString('base64');
    this.#headers = {
      accept: mediaType,
      'content-type': mediaType,
      ...(username === undefined ? {} : { authorization: `Basic ${credentials}` }),
    };
  }

  /** The Avro schema of an id; null where the registry says that there is none. One request at a time per id. */
  schema(id: number, signal: AbortSignal): Promise<string | null> {
    // Ids are positive: nobody needs to be asked about the rest.
    if (id <= 0) return Promise.resolve(null);
    const begun = this.#inFlight.get(id);
    if (begun !== undefined) return begun;
    const answer = this.#ask('GET', `schemas/ids/${id}`, undefined, readSchemaText, signal).finally(() => {
      this.#inFlight.delete(id);
    });
    this.#inFlight.set(id, answer);
    return answer;
  }

  /**
   * Registers a schema under a subject, or finds it there, and returns its id.
   *
   * @throws DecodeError (rejects) where the registry refuses it.
   */
  register(subject: string, schemaText: string, signal: AbortSignal): Promise<number> {
    const path = `subjects/${encodeURIComponent(subject)}/versions`;
    return this.#ask('POST', path, JSON.stringify({ schema: schemaText }), readOrRefuse(readId), signal);
  }

  /** The newest schema of a subject; null where the registry does not know the subject. */
  latest(subject: string, signal: AbortSignal): Promise<RegisteredSchema | null> {
    const path = `subjects/${encodeURIComponent(subject)}/versions/latest`;
    return this.#ask('GET', path, undefined, readRegistered, signal);
  }

  async #ask<T>(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    read: Read<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { url, ca, patienceMs, telemetry, retryMs = { first: 200, longest: 10_000 } } = this.#options;
    const deadlineMs = patienceMs === null ? Number.POSITIVE_INFINITY : performance.now() + patienceMs;
    const address = new URL(path, url.endsWith('/') ? url : `${url}/`);
    for (let pauseMs = retryMs.first; ; pauseMs = Math.min(pauseMs * 2, retryMs.longest)) {
      let trouble: string;
      try {
        const answer = await httpExchange({
          method,
          url: address,
          headers: this.#headers,
          ...(body === undefined ? {} : { body }),
          ...(ca === undefined ? {} : { ca }),
          timeoutMs: this.#options.timeoutMs ?? 5000,
          maxResponseBytes: this.#options.maxResponseBytes ?? 1_048_576,
          signal,
        });
        const result = read(answer);
        if (result !== null) return result.value;
        trouble = `HTTP ${answer.status} ${answer.text.slice(0, 200)}`;
      } catch (error) {
        if (error instanceof DecodeError || signal.aborted) throw error;
        trouble = messageOf(error);
      }
      const message = `the schema registry does not serve ${address.href}: ${trouble}`;
      if (performance.now() + pauseMs > deadlineMs) {
        throw new DecodeError('registry.unavailable', message, { retriable: true });
      }
      telemetry.emit({ type: 'registryRetried', message });
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }
}

function parsed(answer: HttpAnswer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(answer.text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // A proxy's page is as good as no answer.
    return {};
  }
}

/** True only for the registry's own "not found": a 404 of a proxy or of a wrong address says nothing about the schema. */
function isNotFound(answer: HttpAnswer): boolean {
  const code = parsed(answer)['error_code'];
  return answer.status === 404 && typeof code === 'number' && code > 40_400 && code < 40_500;
}

const readSchemaText: Read<string | null> = (answer) => {
  if (isNotFound(answer)) return { value: null };
  const { schema } = parsed(answer);
  return answer.status === 200 && typeof schema === 'string' ? { value: schema } : null;
};

const readId: Read<number> = (answer) => {
  const { id } = parsed(answer);
  return answer.status === 200 && typeof id === 'number' ? { value: id } : null;
};

const readRegistered: Read<RegisteredSchema | null> = (answer) => {
  if (isNotFound(answer)) return { value: null };
  const { id, schema } = parsed(answer);
  const isWhole = answer.status === 200 && typeof id === 'number' && typeof schema === 'string';
  return isWhole ? { value: { id, schemaText: schema } } : null;
};

/** A request that the registry understood and refused will be refused again. */
function readOrRefuse<T>(read: Read<T>): Read<T> {
  return (answer) => {
    if (answer.status === 409 || answer.status === 422) {
      throw new DecodeError('config.invalid', `the schema registry refuses the schema: ${answer.text.slice(0, 500)}`);
    }
    return read(answer);
  };
}
