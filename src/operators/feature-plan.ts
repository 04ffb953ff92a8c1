import type { FieldPlan } from '../records.ts';

/** One feature as the config names it. */
export type FeatureSpec =
  | { readonly name: string; readonly field: string; readonly kind: 'plain' }
  /** Sine and cosine of 2π · value / `period`: two columns, so that the end of a circle meets its start. */
  | { readonly name: string; readonly field: string; readonly kind: 'cyclic'; readonly period: number }
  /** One column for each of the first `max` values in order of appearance, and one for all others. */
  | { readonly name: string; readonly field: string; readonly kind: 'oneHot'; readonly max: number }
  /** The field's value `rows` rows before at the same key. */
  | { readonly name: string; readonly field: string; readonly kind: 'lag'; readonly rows: number };

/** What is predicted. */
export interface TargetSpec {
  readonly field: string;
  readonly kind: 'number' | 'class';
  /** True where the label comes later, so that a row without a target of its own is still a row. */
  readonly hasHorizon: boolean;
  /** A change needs the row's own target. */
  readonly as: 'value' | 'change';
  /** The classes in the order of their index; null: by first appearance, up to `maxClasses`. */
  readonly classes: readonly string[] | null;
  readonly maxClasses: number;
}

/** What `derive` makes of the wanted fields; plain data. */
export interface FeaturePlan {
  readonly features: readonly FeatureSpec[];
  /** The field that tells sensors apart; null: all rows are of one key. */
  readonly key: string | null;
  /** The field with the event time; null: the record's timestamp. */
  readonly time: string | null;
  readonly target: TargetSpec;
  /** Keys remembered at the most. */
  readonly maxKeys: number;
}

/** A column of the feature matrix: stable name, the feature it belongs to, and whether it is standardized. */
export interface FeatureColumn {
  readonly name: string;
  readonly feature: string;
  /** False for columns that are within [-1, 1] by construction. */
  readonly isScaled: boolean;
}

/** The fields that a codec has to read for a plan, each once per type. */
export function fieldPlanOf(plan: FeaturePlan): FieldPlan {
  const numbers = plan.features.filter((spec) => spec.kind !== 'oneHot').map((spec) => spec.field);
  const texts = plan.features.filter((spec) => spec.kind === 'oneHot').map((spec) => spec.field);
  (plan.target.kind === 'number' ? numbers : texts).push(plan.target.field);
  if (plan.key !== null) texts.push(plan.key);
  return {
    numbers: [...new Set(numbers)],
    texts: [...new Set(texts)],
    times: plan.time === null ? [] : [plan.time],
  };
}

/** The columns of the feature matrix, in order. */
export function featureColumns(features: readonly FeatureSpec[]): readonly FeatureColumn[] {
  return features.flatMap(({ name, ...spec }) => {
    const column = (suffix: string, isScaled: boolean): FeatureColumn => ({
      name: `${name}${suffix}`,
      feature: name,
      isScaled,
    });
    switch (spec.kind) {
      case 'plain':
      case 'lag':
        return [column('', true)];
      case 'cyclic':
        return [column('.sin', false), column('.cos', false)];
      case 'oneHot':
        return [...Array.from({ length: spec.max }, (_, id) => column(`.${id}`, false)), column('.other', false)];
    }
  });
}
