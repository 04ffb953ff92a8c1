import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeaturePlan } from '../../src/operators/feature-plan.ts';
import { featureColumns, fieldPlanOf } from '../../src/operators/feature-plan.ts';

const plan: FeaturePlan = {
  features: [
    { name: 'temp', field: 'temp', kind: 'plain' },
    { name: 'wind', field: 'wind_dir', kind: 'cyclic', period: 360 },
    { name: 'site', field: 'origin', kind: 'oneHot', max: 2 },
    { name: 'before', field: 'temp', kind: 'lag', rows: 1 },
  ],
  key: 'origin',
  time: 'time_hour',
  target: { field: 'temp', kind: 'number', hasHorizon: true, as: 'change', classes: null, maxClasses: 32 },
  maxKeys: 10,
};

test('each field is wanted once per type, key and target included', () => {
  assert.deepEqual(fieldPlanOf(plan), { numbers: ['temp', 'wind_dir'], texts: ['origin'], times: ['time_hour'] });
  const classes = { ...plan, key: null, time: null, target: { ...plan.target, kind: 'class' as const } };
  assert.deepEqual(fieldPlanOf(classes), { numbers: ['temp', 'wind_dir'], texts: ['origin', 'temp'], times: [] });
});

test('columns have stable names and say whether they are scaled', () => {
  assert.deepEqual(
    featureColumns(plan.features).map(({ name, feature, isScaled }) => `${name} ${feature} ${isScaled}`),
    [
      'temp temp true',
      'wind.sin wind false',
      'wind.cos wind false',
      'site.0 site false',
      'site.1 site false',
      'site.other site false',
      'before before true',
    ],
  );
});
