import type { Config } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import type { FeaturePlan, FeatureSpec } from '../operators/feature-plan.ts';

/** A field of the input and whether a feature can be made of it without being told how. */
export interface InputField {
  readonly name: string;
  readonly isNumeric: boolean;
}

/**
 * The plan that the configuration describes.
 * @param inputFields asked for only where `features: auto` has to know them.
 */
export async function featurePlan(
  config: Config,
  inputFields: () => Promise<readonly InputField[]>,
): Promise<FeaturePlan> {
  const { target } = config;
  return {
    features: await featureSpecs(config, inputFields),
    key: config.key ?? null,
    time: config.time?.field ?? null,
    target: {
      field: target.field,
      kind: target.task === 'classification' ? 'class' : 'number',
      hasHorizon: target.horizon !== undefined,
      as: target.as,
      classes: target.classes ?? null,
      maxClasses: target.maxClasses,
    },
    maxKeys: config.limits.keys,
  };
}

async function featureSpecs(config: Config, inputFields: () => Promise<readonly InputField[]>): Promise<FeatureSpec[]> {
  if (config.features === 'auto') return autoFeatures(config, await inputFields());
  return Object.entries(config.features).map(([name, options]): FeatureSpec => {
    const field = options.field ?? name;
    const { as: kind, period = NaN, max = NaN, rows = NaN } = options;
    switch (kind) {
      case 'plain':
        return { name, field, kind };
      case 'cyclic':
        return { name, field, kind, period };
      case 'oneHot':
        return { name, field, kind, max };
      case 'lag':
        return { name, field, kind, rows };
    }
  });
}

/** Every numeric field but key, time, and the target unless its label comes later. */
function autoFeatures({ key, time, target }: Config, fields: readonly InputField[]): FeatureSpec[] {
  const left = new Set([key, time?.field, target.horizon === undefined ? target.field : undefined]);
  const names = fields.filter(({ name, isNumeric }) => isNumeric && !left.has(name)).map(({ name }) => name);
  if (names.length > 0) return names.map((name) => ({ name, field: name, kind: 'plain' }));
  throw new ConfigError(
    'config.invalid',
    `features: auto finds no numeric field among ${fields.map(({ name }) => name).join(', ')}. Name the features.`,
  );
}
