/** JSON schemas of `/v1/models`, for its documentation and for writing its answers. */
import { errorSchema } from './predict-schema.ts';

const nullableText = { type: ['string', 'null'] } as const;

const comparisonSchema = {
  type: ['object', 'null'],
  description:
    'Losses on the same rows: absolute error in original units, or log loss; change is a fraction of the other loss',
  properties: {
    rows: { type: 'integer' },
    loss: { type: 'number' },
    otherLoss: { type: 'number' },
    change: { type: 'number', description: 'Median over blocks of rows' },
    atLeast: { type: 'number', description: 'Its lower confidence bound' },
    atMost: { type: 'number', description: 'Its upper confidence bound' },
  },
} as const;

const decisionSchema = {
  type: ['object', 'null'],
  description: 'The latest decision about the version; null where it was never judged',
  properties: {
    action: { type: 'string', description: 'promoted, held, returned, pinned, unpinned or rolledBack' },
    version: { type: 'string' },
    other: { ...nullableText, description: 'The version that it was compared with, or that it replaced' },
    message: { type: 'string' },
    recent: comparisonSchema,
    past: comparisonSchema,
    atMs: { type: 'number', description: 'Unix ms' },
  },
} as const;

const listSchema = {
  description: 'The versions that are kept, newest first',
  type: 'object',
  properties: {
    served: { ...nullableText, description: 'The version that answers' },
    previous: { ...nullableText, description: 'What a roll-back serves' },
    isPinned: { type: 'boolean' },
    heldInARow: { type: 'integer', description: 'Versions not promoted since the last one that was' },
    versions: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          step: { type: 'integer' },
          savedAt: { type: 'string', description: 'ISO 8601' },
          positions: { type: 'object', additionalProperties: { type: 'integer' } },
          scores: {
            type: 'object',
            additionalProperties: { type: ['number', 'null'] },
            description: 'Recent scores of the served model when the version was saved',
          },
          isServed: { type: 'boolean' },
          isPinned: { type: 'boolean' },
          decision: decisionSchema,
        },
      },
    },
  },
} as const;

const answers = {
  200: listSchema,
  503: { description: 'The pipeline does not stand yet; see Retry-After', ...errorSchema },
} as const;
const changing = {
  ...answers,
  401: { description: 'Needs the bearer token', ...errorSchema },
  403: { description: 'Nothing can be changed from here without a token', ...errorSchema },
  409: { description: 'Cannot be done; the error says why', ...errorSchema },
} as const;

export const modelsSchema = { summary: 'List versions of the models, and which is served', response: answers } as const;

export const pinSchema = {
  summary: 'Serve one version until it is unpinned',
  body: { type: 'object', properties: { version: { type: 'string' } }, required: ['version'] },
  response: { ...changing, 400: { description: 'No version is named', ...errorSchema } },
} as const;

export const unpinSchema = {
  summary: 'Let newer versions replace the pinned one again',
  response: changing,
} as const;

export const rollbackSchema = {
  summary: 'Serve the version before the served one until it is unpinned',
  response: changing,
} as const;
