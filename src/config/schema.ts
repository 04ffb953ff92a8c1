import { z } from 'zod';
import { choice } from './choice.ts';
import { byteSize, duration } from './quantities.ts';

const name = z.string().min(1);
const count = z.number().int().positive();
const port = z.number().int().min(0).max(65535);

const start = z
  .union([
    z.enum(['earliest', 'latest']),
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z.number(),
  ])
  .default('earliest')
  .meta({ description: 'Where reading starts if no checkpoint says otherwise: earliest, latest, or a timestamp' });
const onOutOfRange = z
  .enum(['stop', 'earliest', 'latest'])
  .default('stop')
  .meta({ description: 'What to do when the position of the checkpoint is no longer in the log' });

const tls = z.strictObject({
  caFile: name.optional(),
  certFile: name.optional(),
  keyFile: name.optional(),
});

const kafka = z.strictObject({
  brokers: z.array(name).min(1),
  topics: z.array(name).min(1),
  groupId: name.optional().meta({ description: 'By default the name of the pipeline' }),
  tls: z.union([z.literal(true).transform(() => ({})), tls]).optional(),
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
      username: name,
      password: name.optional().meta({ description: 'Only as ${NAME} from the environment; or use passwordFile' }),
      passwordFile: name.optional(),
    })
    .optional(),
  start,
  onOutOfRange,
});

const log = z.strictObject({ dir: name, topic: name, start, onOutOfRange });

const csvColumns = z.record(name, z.enum(['number', 'boolean', 'time', 'text']));

const csv = z.strictObject({
  file: name.meta({ description: 'A path or a glob; .gz is unpacked' }),
  columns: csvColumns.optional().meta({ description: 'Types by column; inferred where absent' }),
  speed: z
    .union([z.literal('max'), z.number().positive()])
    .default('max')
    .meta({ description: 'A multiple of event time, or max' }),
  epochs: count.default(1).meta({ description: 'Passes over the data; only the first is scored' }),
});

const program = z.strictObject({
  topic: name.meta({ description: 'What the rows are called in positions, dead letters and metrics' }),
});

const registry = z.strictObject({
  url: z.url(),
  username: name.optional(),
  password: name.optional(),
  passwordFile: name.optional(),
  tls: z.strictObject({ caFile: name }).optional(),
});

const avro = z
  .strictObject({
    registry: registry.optional(),
    schemaFile: name.optional(),
    schemaId: z
      .number()
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'The id that schemaFile stands for; 1 by default' }),
  })
  .refine((value) => (value.registry === undefined) !== (value.schemaFile === undefined), {
    error: 'needs exactly one of registry and schemaFile',
  });

const feature = z
  .strictObject({
    field: name.optional().meta({ description: 'By default the name of the feature' }),
    as: z.enum(['plain', 'cyclic', 'oneHot', 'lag']).default('plain'),
    period: z.number().positive().optional(),
    max: count.optional(),
    rows: count.optional(),
    sensitive: z
      .boolean()
      .default(false)
      .meta({ description: 'The live page shows no value of its field; dead letters and checkpoints keep them' }),
  })
  .superRefine((value, context) => {
    const needed = { cyclic: 'period', oneHot: 'max', lag: 'rows' } as const;
    for (const [kind, option] of Object.entries(needed)) {
      if (value.as === kind && value[option] === undefined) {
        context.addIssue({ code: 'custom', message: `as: ${kind} needs ${option}`, path: [option] });
      }
      if (value.as !== kind && value[option] !== undefined) {
        context.addIssue({ code: 'custom', message: `${option} belongs to as: ${kind}`, path: [option] });
      }
    }
  });

const features = z.union([
  z.literal('auto'),
  z
    .array(name)
    .min(1)
    .transform((names) => Object.fromEntries(names.map((each) => [each, feature.parse({})]))),
  z.record(name, feature),
]);

const targetOptions = z.strictObject({
  field: name,
  task: z.enum(['regression', 'classification']).default('regression'),
  horizon: duration.optional(),
  tolerance: duration.prefault('0s'),
  as: z.enum(['value', 'change']).default('value'),
  classes: z.array(z.string()).min(2).optional(),
  maxClasses: z.number().int().min(2).max(1024).default(32),
});
const target = z.union([name.transform((field) => targetOptions.parse({ field })), targetOptions]);

const learner = choice({
  lastValue: z.strictObject({}),
  mean: z.strictObject({}),
  majority: z.strictObject({}),
  linear: z.strictObject({}),
  mlp: z.strictObject({
    hidden: z.array(count).min(1).default([64, 64]),
    activation: z.enum(['relu', 'tanh', 'sigmoid']).default('relu'),
  }),
  layers: z.strictObject({
    file: name.meta({ description: 'The model.json of a TensorFlow.js LayersModel; weights beside it are the start' }),
  }),
});

const share = z.number().min(0).lt(1);
const optimizer = choice({
  sgd: z.strictObject({}),
  momentum: z.strictObject({ momentum: share.default(0.9), nesterov: z.boolean().default(false) }),
  adam: z.strictObject({}),
  adamw: z.strictObject({ weightDecay: z.number().nonnegative().default(0.01) }),
  rmsprop: z.strictObject({ decay: share.default(0.9), momentum: share.default(0) }),
  adagrad: z.strictObject({}),
});
const loss = choice({
  mse: z.strictObject({}),
  mae: z.strictObject({}),
  huber: z.strictObject({ delta: z.number().positive().default(1) }),
});

const every = z.union(
  [
    duration.transform((ms) => ({ ms })),
    z
      .string()
      .regex(/^\d+ steps?$/)
      .transform((text) => ({ steps: Number.parseInt(text, 10) })),
  ],
  { error: 'expected a duration such as 30s, or a number of steps such as "500 steps"' },
);

/** The configuration file, key by key. `z.toJSONSchema(configSchema, { io: 'input' })` serves editors. */
export const configSchema = z.strictObject({
  name: name.regex(/^[A-Za-z0-9._-]+$/, { error: 'letters, digits, dot, dash and underscore only' }),
  source: choice({ kafka, log, csv, program }),
  decode: choice({
    avro,
    json: z.strictObject({}),
    csv: z.strictObject({ columns: z.array(name).min(1).optional() }),
  }).optional(),
  key: name.optional().meta({ description: 'The field that tells sensors apart; lags and labels are joined by it' }),
  time: z
    .union([name.transform((field) => ({ field })), z.strictObject({ field: name })])
    .optional()
    .meta({ description: 'The event time; by default the timestamp of the record' }),
  features,
  target,
  normalize: choice({
    standard: z.strictObject({ memory: count.default(1_000_000) }),
    none: z.strictObject({}),
  }).prefault('standard'),
  batch: z.strictObject({ rows: count.max(65_536).default(256), maxDelay: duration.optional() }).prefault({}),
  models: z.record(z.string().regex(/^[A-Za-z0-9_-]+$/), learner).prefault({ main: 'linear' }),
  serve: name.optional().meta({ description: 'The model that is served; by default the first' }),
  training: z
    .strictObject({
      optimizer: optimizer.prefault('adam'),
      learningRate: z.number().positive().default(0.001),
      clipNorm: z.number().positive().optional(),
      loss: loss.optional().meta({
        description: 'Of regression, in standard units of the target; mse by default. Classes learn by cross-entropy',
      }),
      precision: z
        .enum(['float32', 'bfloat16'])
        .default('float32')
        .meta({ description: 'What nets multiply in; bfloat16 needs the tensorflow backend. Weights are float32' }),
    })
    .prefault({}),
  scores: z.strictObject({ memory: z.number().int().min(2).default(10_000) }).prefault({}),
  backend: z.enum(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu']).default('auto'),
  deadLetter: z
    .union([z.strictObject({ topic: name }), z.strictObject({ file: name })])
    .optional()
    .meta({ description: 'By default a file in the state directory' }),
  predict: z
    .strictObject({
      from: name.meta({
        description:
          'A topic of source.kafka with the same kind of records, labels or not; a topic that is learned will do',
      }),
      to: name.meta({ description: 'The topic that the predictions go to; made where it is missing' }),
    })
    .optional()
    .meta({
      description:
        'Predicts each record of a topic once, by the served model, and writes that to another topic; not with run --once or evaluate',
    }),
  checkpoint: z
    .strictObject({
      dir: name.default('./state'),
      every: every.prefault('30s'),
      keep: z.number().int().min(3).default(5),
    })
    .prefault({}),
  promotion: z
    .strictObject({
      margin: z.number().nonnegative().default(0.05).meta({
        description:
          'Fraction by which the loss of a newer version may lie above that of the served one on recent rows and still replace it',
      }),
      forgetting: z.number().nonnegative().default(0.5).meta({
        description:
          'The same for rows of before: a model that follows its stream forgets, and one that was misled forgets more',
      }),
      confidence: z
        .number()
        .min(0.5)
        .max(0.999)
        .default(0.95)
        .meta({ description: 'How sure both must be, each on one side' }),
      rows: z
        .number()
        .int()
        .min(200)
        .default(2000)
        .meta({ description: 'Labelled rows to compare versions on: half recent, half a sample of those before' }),
      memory: z.number().int().min(2).default(50).meta({
        description:
          'Checkpoints that the sample reaches back; about three quarters of it pass before a change of the stream that old rows contradict is served',
      }),
    })
    .prefault({})
    .meta({ description: 'When a newer version of the served model replaces the one that is served' }),
  http: z
    .strictObject({
      host: name.default('127.0.0.1'),
      port: port.default(9464),
      bodyBytes: byteSize.prefault('1MiB').meta({ description: 'Largest body of a request' }),
      concurrentRequests: count
        .default(256)
        .meta({ description: 'Requests under way on a route that predicts; more are told to come again' }),
      token: name.optional().meta({ description: 'Only as ${NAME} from the environment; or use tokenFile' }),
      tokenFile: name
        .optional()
        .meta({ description: 'Holds the bearer token that changing anything over HTTP asks for' }),
    })
    .prefault({}),
  tensorboard: z
    .strictObject({
      dir: name.meta({ description: 'Loss, scores and speed are written here every 30 s, a run for each model' }),
    })
    .optional(),
  limits: z
    .strictObject({
      keys: count.default(100_000),
      pendingRows: count.default(1_000_000),
      valueBytes: byteSize.prefault('64KiB'),
      arrayItems: count.default(10_000),
      creditBytes: byteSize.prefault('32MiB'),
      ringBytes: byteSize.prefault('8MiB'),
      rejectRatio: z.number().positive().max(1).default(0.5),
      withheldSteps: count.default(20),
    })
    .prefault({}),
  seed: z.number().int().positive().default(1),
  connectTimeout: duration.prefault('30s'),
  shutdownTimeout: duration.prefault('10s'),
});

/** A configuration as it is written, in a file or in a program: docs/configuration.md. */
export type ConfigDocument = z.input<typeof configSchema>;

/** What the file says, validated, with all defaults in place and durations in milliseconds. */
export type RawConfig = z.output<typeof configSchema>;
