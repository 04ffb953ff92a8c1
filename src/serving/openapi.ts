import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import type { Predictions } from './predictions.ts';
import type { RecordField } from './predictor.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** One line of the documentation; a route without it is not in there. */
    readonly summary?: string;
  }
}

type JsonSchema = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: 'path'; readonly required: true }[];
  readonly requestBody?: { readonly description?: string; readonly content: object };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

/** An OpenAPI 3.1 document. */
export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  /** By path, then by method in lower case. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

interface Described {
  readonly version: string;
  readonly predictions: Predictions;
}

const contentTypes = { json: 'application/json' } as const;

/**
 * Describes the routes that are registered from now on, as OpenAPI has it. What records look like is known when the pipeline
 * stands, so the document is made when it is asked for.
 */
export function describeRoutes(app: FastifyInstance, { version, predictions }: Described): () => OpenApi {
  const paths: Record<string, Record<string, Operation>> = {};
  app.addHook('onRoute', ({ method, url, schema }: RouteOptions) => {
    const operation = operationOf(url, schema);
    if (operation === null || typeof method !== 'string' || method === 'HEAD') return;
    (paths[url.replaceAll(/:(\w+)/g, '{$1}')] ??= {})[method.toLowerCase()] = operation;
  });
  return () => ({
    openapi: '3.1.0',
    info: {
      title: `${predictions.name} on Millrace`,
      version,
      description: 'Predictions of a model that never stops learning, each with the version that made it.',
    },
    paths,
    components: { schemas: { Record: recordSchema(predictions.predictor()?.fields ?? []) } },
  });
}

function operationOf(url: string, schema: FastifySchema | undefined): Operation | null {
  if (schema?.summary === undefined) return null;
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }) as const);
  const answers = (schema.response ?? {}) as Readonly<Record<string, JsonSchema>>;
  const responses = Object.entries(answers).map(([status, answer]) => [status, withDescription(answer)] as const);
  return {
    summary: schema.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(schema.body === undefined ? {} : { requestBody: withDescription(schema.body as JsonSchema) }),
    responses: { 200: { description: 'Done' }, ...Object.fromEntries(responses) },
  };
}

/** OpenAPI has the description of a body beside its schema. */
function withDescription({ description, ...schema }: JsonSchema): { description: string; content: object } {
  return { description: (description ?? '') as string, content: { [contentTypes.json]: { schema } } };
}

/** Fields may lack or be null, as in records of the stream; others are not looked at. */
function recordSchema(fields: readonly RecordField[]): JsonSchema {
  const types = { number: ['number', 'boolean'], text: ['string', 'number', 'boolean'] } as const;
  return {
    type: 'object',
    description:
      'A record by field; a dot in a name is a field of a nested object. One that is absent or null is missing.',
    properties: Object.fromEntries(
      fields.map(({ name, type, isRequired }) => [name, { type: [...types[type], ...(isRequired ? [] : ['null'])] }]),
    ),
    required: fields.filter(({ isRequired }) => isRequired).map(({ name }) => name),
  };
}
