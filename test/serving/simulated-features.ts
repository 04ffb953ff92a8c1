import { featuresStatus, type FeaturesStatus } from '../../src/serving/feature-report.ts';
import { FeatureSample } from '../../src/serving/feature-sample.ts';

const names = ['temp', 'humid', 'hour', 'airport', 'patient'] as const;
const shown = [
  { name: 'temp', field: 'temp', kind: 'plain', isSensitive: false, categories: () => [] },
  { name: 'humid', field: 'humid', kind: 'plain', isSensitive: false, categories: () => [] },
  { name: 'hour', field: 'hour', kind: 'cyclic', isSensitive: false, categories: () => [] },
  { name: 'airport', field: 'airport', kind: 'oneHot', isSensitive: false, categories: () => ['JFK', 'LGA', 'EWR'] },
  { name: 'patient', field: 'patient', kind: 'plain', isSensitive: true, categories: () => [] },
] as const;

/** Features after some steps: the temperature has moved, humidity is missing at times. */
export function simulatedFeatures(step: number): FeaturesStatus {
  let nowMs = 0;
  const sample = new FeatureSample({
    featureCount: names.length,
    read: (columns, at, out) => {
      out.set(columns.subarray(at, at + names.length));
    },
    now: () => nowMs,
    random: () => 0.5,
  });
  for (let block = 0; block < Math.min(step, 300); block += 1) {
    nowMs += 1000;
    const features = Float64Array.from({ length: 10 * names.length }, (_, cell) => valueOf(cell, block));
    sample.take({ rowCount: 10, featureCount: names.length, features });
  }
  return featuresStatus(shown, sample);
}

function valueOf(cell: number, block: number): number {
  const row = Math.floor(cell / names.length);
  const wave = Math.sin(block * 1.7 + row * 0.9);
  switch (names[cell % names.length]!) {
    case 'temp':
      return 40 + block / 12 + 12 * wave;
    case 'humid':
      return (block + row) % 20 === 0 ? Number.NaN : 60 + 25 * Math.cos(block * 2.3 + row);
    case 'hour':
      return (block + row) % 24;
    case 'airport':
      return (block * 7 + row) % 4;
    case 'patient':
      return 1000 + row;
  }
}
