import { loadConfig, parseConfig } from '../config/load.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import { csvFiles } from '../sources/csv/csv-files.ts';
import { inferColumns } from '../sources/csv/csv-types.ts';
import { withSeed } from './run.ts';

export interface EvaluateOptions {
  readonly csv?: string;
  readonly target?: string;
  readonly model?: string;
  readonly task?: 'regression' | 'classification';
  readonly batch?: number;
  readonly seed?: number;
  readonly predictions?: string;
  readonly json?: true;
}

/**
 * The configuration to evaluate: a file's with the options of the command line put over it, or one made from options alone.
 * @throws ConfigError where neither says what to read and what to predict.
 */
export async function evaluationConfig(file: string | undefined, options: EvaluateOptions): Promise<Config> {
  const config = file === undefined ? await configOfCsv(options) : overridden(loadConfig(file).config, options);
  // A clock has no place in an evaluation: batches are sealed by count and by the end.
  return withSeed({ ...config, batch: { rows: options.batch ?? config.batch.rows } }, options.seed);
}

async function configOfCsv({ csv, target, model = 'linear', task }: EvaluateOptions): Promise<Config> {
  if (csv === undefined || target === undefined) {
    throw new ConfigError('config.missing', 'evaluate needs a configuration file, or --csv FILE and --target COLUMN');
  }
  const document = {
    name: 'evaluate',
    source: { csv: { file: csv } },
    features: 'auto',
    target: { field: target, task: task ?? (await taskOf(csv, target)) },
    models: Object.fromEntries(model.split(',').map((kind) => [kind.trim(), kind.trim()])),
    batch: { rows: 1 },
  };
  return parseConfig(JSON.stringify(document), 'the command line', {}).config;
}

/** Text and booleans are classes, numbers are values. */
async function taskOf(csv: string, target: string): Promise<'regression' | 'classification'> {
  const [first] = await csvFiles(csv, '--csv');
  const columns = first === undefined ? [] : await inferColumns(first);
  const column = columns.find(({ name }) => name === target);
  if (column === undefined) {
    const names = columns.map(({ name }) => name).join(', ');
    throw new ConfigError('config.invalid', `--target ${target}: ${csv} has no such column. It has ${names}.`);
  }
  return column.type === 'text' || column.type === 'boolean' ? 'classification' : 'regression';
}

function overridden(config: Config, { csv, target, model, task }: EvaluateOptions): Config {
  const changed: Config = {
    ...config,
    ...(csv === undefined
      ? {}
      : { source: { kind: 'csv', file: csv, speed: 'max', epochs: 1 } as const, decode: { kind: 'csv' } as const }),
    target: {
      ...config.target,
      ...(target === undefined ? {} : { field: target }),
      ...(task === undefined ? {} : { task }),
    },
  };
  if (model === undefined) return changed;
  const names = model.split(',').map((name) => name.trim());
  const unknown = names.find((name) => config.models[name] === undefined);
  if (unknown !== undefined) {
    throw new ConfigError(
      'config.invalid',
      `--model ${unknown}: the configuration has ${Object.keys(config.models).join(', ')}`,
    );
  }
  const models = Object.fromEntries(Object.entries(config.models).filter(([name]) => names.includes(name)));
  return { ...changed, models, serve: names.includes(config.serve) ? config.serve : (names[0] ?? config.serve) };
}
