import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Document, isMap } from 'yaml';
import { ConfigError } from '../../errors.ts';
import type { SampledField } from './sampled-fields.ts';

/** Where records come from, in the words of the configuration. */
export interface InitInput {
  readonly name: string;
  readonly source: object;
  /** Null where the source leaves no choice. */
  readonly decode: object | string | null;
}

/** Which fields play a part; the others may be features. */
export interface Roles {
  readonly target: string;
  readonly key: string | null;
  readonly time: string | null;
}

/** Categories beyond these make no feature. */
const mostCategories = 16;

/**
 * Roles as types and names suggest them, but for those that are given: the target is the last number that does not count records.
 * @throws ConfigError where a given field is not among the sampled ones, or nothing could be predicted.
 */
export function proposeRoles(fields: readonly SampledField[], given: Partial<Roles>): Roles {
  for (const [option, name] of Object.entries(given)) {
    if (name === null || fields.some((field) => field.name === name)) continue;
    const known = fields.map((field) => field.name).join(', ');
    throw new ConfigError('config.invalid', `--${option} ${name}: the records have no such field. They have ${known}.`);
  }
  const isKey = ({ name, type }: SampledField): boolean =>
    type === 'text' && /(id|key|name|sensor|device|machine|origin|station)$/i.test(name);
  const time = given.time ?? fields.find(({ type }) => type === 'time')?.name ?? null;
  const key = given.key ?? fields.find(isKey)?.name ?? null;
  const numbers = fields.filter(({ name, type }) => type === 'number' && name !== time && name !== key);
  const target = given.target ?? (numbers.findLast(({ isCounter }) => !isCounter) ?? numbers.at(-1))?.name;
  if (target === undefined) {
    throw new ConfigError('config.missing', 'no field of the records is a number; name what to predict with --target');
  }
  return { target, key, time };
}

/**
 * The configuration file: every key with what it is for.
 * @param file where it will lie; its first line tells editors where the schema is from there.
 * @throws ConfigError where no field is left to learn from.
 */
export function initDocument(input: InitInput, fields: readonly SampledField[], roles: Roles, file: string): string {
  const schema = fileURLToPath(new URL('../../../docs/config.schema.json', import.meta.url));
  const target = fields.find(({ name }) => name === roles.target);
  const isClass = target?.type === 'text' || target?.type === 'boolean';
  return [
    `# yaml-language-server: $schema=${relative(dirname(resolve(file)), schema)}`,
    '# Written by millrace init. All keys: docs/configuration.md. Check it with millrace validate, start it with millrace run.',
    entry('name', input.name),
    '# Where records come from.',
    entry('source', input.source),
    ...(input.decode === null ? [] : ['# How their values are written.', entry('decode', input.decode)]),
    ...(roles.key === null
      ? []
      : ['# Tells sensors apart: lags and later labels are joined by it.', entry('key', roles.key)]),
    ...(roles.time === null ? [] : ['# When it was measured.', entry('time', roles.time)]),
    '# What the model sees. Also: { as: cyclic, period: 360 }, { as: lag, rows: 1 }.',
    ...featureLines(fields, roles),
    '# What it predicts. For a value to come: { field, horizon: 10m }, joined by key and time.',
    entry('target', isClass ? { field: roles.target, task: 'classification' } : roles.target),
    '# Rows that one step learns, and how long a partial batch waits for more.',
    entry('batch', { rows: 32, maxDelay: '1s' }),
    '# All learn from the same batches, each with its own score; the first is served.',
    entry('models', { main: { mlp: { hidden: [32] } }, linear: 'linear' }),
    '# Where a restart goes on from.',
    entry('checkpoint', { dir: `.millrace/${input.name}`, every: '30s' }),
    '# The live page, metrics and predictions.',
    entry('http', { port: 9464 }),
    '',
  ].join('\n');
}

function featureLines(fields: readonly SampledField[], { target, key, time }: Roles): string[] {
  const others = fields.filter(({ name }) => ![target, key, time].includes(name));
  const features = Object.fromEntries(
    others.flatMap(({ name, type, values, isCounter }): [string, object][] => {
      if (values < 2 || isCounter) return [];
      if (type === 'number' || type === 'boolean') return [[name, {}]];
      if (type === 'text' && values <= mostCategories) return [[name, { as: 'oneHot', max: values }]];
      return [];
    }),
  );
  if (Object.keys(features).length === 0) {
    throw new ConfigError(
      'config.invalid',
      `no field is left to learn from: ${target} is predicted, and no other varies and is a number that does not only count up, a boolean or has at most ${mostCategories} values`,
    );
  }
  const left = others.filter(({ name }) => !(name in features));
  return [
    entry('features', features),
    ...leftOut('they only count up', left, ({ isCounter }) => isCounter),
    ...leftOut('one value or too many tell nothing', left, ({ isCounter }) => !isCounter),
  ];
}

function leftOut(why: string, fields: readonly SampledField[], isSo: (field: SampledField) => boolean): string[] {
  const names = fields.filter(isSo).map(({ name }) => name);
  return names.length === 0 ? [] : [`# Left out, since ${why}: ${names.join(', ')}.`];
}

/** One key; what it has lies on its line, but for features, which have a line each. */
function entry(key: string, value: unknown): string {
  const document = new Document({ [key]: value });
  const content = document.get(key);
  if (isMap(content)) {
    if (key !== 'features') content.flow = true;
    for (const { value: member } of content.items) if (isMap(member)) member.flow = true;
  }
  return document.toString({ lineWidth: 0 }).trimEnd();
}
