/** JSON schemas of the inference protocol, for its documentation. */
import { errorSchema } from './predict-schema.ts';

const absences = {
  404: { description: 'No such model or version', ...errorSchema },
  503: { description: 'No version is there yet, or too many requests are; see Retry-After', ...errorSchema },
} as const;

const failures = {
  ...absences,
  501: { description: 'The model cannot answer from features alone', ...errorSchema },
} as const;

export const serverSchema = { summary: 'Name, version and extensions of the server' } as const;

export const indexSchema = { summary: 'All models with their state' } as const;

export const readySchema = { summary: 'Whether a model can answer', response: failures } as const;

export const modelSchema = { summary: 'What a model takes and gives', response: absences } as const;

export const inferSchema = {
  summary: 'Predict from features before normalization (Open Inference Protocol v2, JSON or binary tensors)',
  body: {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string' },
      inputs: {
        type: 'array',
        description: 'One tensor named features',
        items: {
          type: 'object',
          properties: {
            name: { const: 'features' },
            datatype: { enum: ['FP32', 'FP64'] },
            shape: { type: 'array', items: { type: 'integer' }, description: '[rows, columns]' },
            data: { type: 'array', description: 'Numbers, flat or row by row; null is missing' },
          },
        },
      },
    },
  },
  response: {
    400: { description: 'The request does not fit', ...errorSchema },
    415: { description: 'The body is compressed', ...errorSchema },
    422: { description: 'The prediction is not a finite number', ...errorSchema },
    ...failures,
  },
} as const;
