import type { Config } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import type { FeaturePlan } from '../operators/feature-plan.ts';
import { csvColumns } from './input.ts';

/**
 * Refuses a plan that wants a field which the input is known not to have; says nothing where that is only known record by
 * record.
 * @throws ConfigError that names the key, the field and what there is.
 */
export async function refuseUnknownFields(config: Config, plan: FeaturePlan): Promise<void> {
  const known = await knownFields(config);
  if (known === null) return;
  const problems = wantedFields(plan)
    .filter(({ field }) => !known.some((name) => name === field || isAbove(name, field) || isAbove(field, name)))
    .map(({ key, field }) => `${key}: the input has no field ${field}; it has ${known.join(', ')}`);
  if (problems.length > 0) throw new ConfigError('config.invalid', problems.join('\n'));
}

async function knownFields(config: Config): Promise<readonly string[] | null> {
  const { decode, source } = config;
  if (decode.kind === 'csv') {
    return decode.columns ?? (source.kind === 'csv' ? (await csvColumns(config)).map(({ name }) => name) : null);
  }
  if (decode.kind !== 'avro' || decode.schemaFile === undefined) return null;
  const { schemaFilePaths } = await import('./avro-input.ts');
  return schemaFilePaths(decode.schemaFile);
}

function wantedFields({ key, time, features, target }: FeaturePlan): { key: string; field: string }[] {
  return [
    ...(key === null ? [] : [{ key: 'key', field: key }]),
    ...(time === null ? [] : [{ key: 'time.field', field: time }]),
    ...features.map(({ name, field }) => ({
      key: name === field ? `features.${name}` : `features.${name}.field`,
      field,
    })),
    { key: 'target.field', field: target.field },
  ];
}

/** Whether the second path lies within the first, as the values of a map or the fields of a record do. */
function isAbove(path: string, other: string): boolean {
  return other.startsWith(`${path}.`);
}
