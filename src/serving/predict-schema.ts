/** JSON schemas of `/v1/predict`, for its documentation and for writing its answers. Bodies are checked by the pipeline's own rules. */

export const errorSchema = { type: 'object', properties: { error: { type: 'string' } }, required: ['error'] } as const;

const faultSchema = {
  type: 'object',
  properties: {
    row: { type: 'integer' },
    field: { type: 'string' },
    expected: { type: 'string' },
    found: { type: 'string' },
  },
} as const;

const originProperties = {
  modelVersion: { type: 'string', description: 'The checkpoint whose model answered' },
  step: { type: 'integer', description: 'Steps that the model had learned' },
  trainedThrough: {
    type: 'object',
    description: 'How far the records reach that the model has learned',
    properties: {
      time: { type: 'string', nullable: true, description: 'Event time of the newest row, ISO 8601' },
      positions: {
        type: 'object',
        additionalProperties: { type: 'integer' },
        description: 'Next offset by topic:partition',
      },
    },
  },
} as const;

const predictionProperties = {
  value: { type: ['number', 'string', 'null'], description: 'In original units, or the likeliest class' },
  probabilities: { type: 'object', additionalProperties: { type: 'number' }, description: 'By class' },
  missing: { type: 'array', items: { type: 'string' }, description: 'Fields that the model saw as missing' },
} as const;

export const predictSchema = {
  summary: 'Predict from raw fields, as records of the stream have them',
  body: {
    description: 'One record, or an array of at most 1,024',
    oneOf: [{ $ref: '#/components/schemas/Record' }, { type: 'array', items: { $ref: '#/components/schemas/Record' } }],
  },
  response: {
    200: {
      description: 'Each prediction of one and the same version; for an array under predictions, in its order',
      type: 'object',
      properties: {
        ...predictionProperties,
        predictions: { type: 'array', items: { type: 'object', properties: predictionProperties } },
        ...originProperties,
      },
    },
    400: {
      description: 'A field does not fit; faults names up to twenty with what was expected and found',
      type: 'object',
      properties: { ...errorSchema.properties, faults: { type: 'array', items: faultSchema } },
    },
    413: { description: 'Too many rows or bytes', ...errorSchema },
    422: { description: 'The prediction is not a finite number', ...errorSchema },
    503: { description: 'No version is there yet, or too many requests are; see Retry-After', ...errorSchema },
  },
} as const;
