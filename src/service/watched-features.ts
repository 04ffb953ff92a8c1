import type { FeaturePlan } from '../operators/feature-plan.ts';
import type { FeatureState } from '../operators/feature-state.ts';
import { featureReader } from '../operators/feature-values.ts';
import type { RowBlock } from '../records.ts';
import { featuresStatus, type FeaturesStatus } from '../serving/feature-report.ts';
import { FeatureSample } from '../serving/feature-sample.ts';

/** Watches the features of a pipeline that runs. */
export interface WatchedFeatures {
  readonly take: (rows: RowBlock) => void;
  readonly status: () => FeaturesStatus;
}

/** Samples the features of the plan; of those made of a sensitive field no value is told. */
export function watchedFeatures(
  plan: FeaturePlan,
  state: FeatureState,
  sensitiveFields: ReadonlySet<string>,
): WatchedFeatures {
  const shown = plan.features.map(({ name, field, kind }, feature) => ({
    ...{ name, field, kind, isSensitive: sensitiveFields.has(field) },
    categories: () => state.categoriesOf(feature),
  }));
  const sample = new FeatureSample({
    featureCount: plan.features.length,
    read: featureReader(plan.features),
    now: () => performance.now(),
  });
  return {
    take: (rows) => {
      sample.take(rows);
    },
    status: () => featuresStatus(shown, sample),
  };
}
