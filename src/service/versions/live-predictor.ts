import type { Config } from '../../config/config.ts';
import { jsonRows, type JsonRows } from '../../codecs/json-rows.ts';
import { fieldPlanOf, type FeaturePlan } from '../../operators/feature-plan.ts';
import { onlyKey, type FeatureRows, type FeatureState } from '../../operators/feature-state.ts';
import type { PostedRows, Predictor, RawRows, RecordField, ServedVersion } from '../../serving/predictor.ts';
import { makeScaler } from '../assembly.ts';
import type { LayersScoring } from '../../trainer/layers/layers-scoring.ts';
import { servedVersion, type SavedState } from './served-version.ts';
import { trainerOptions } from '../trainer-options.ts';

/** Predicts by the version that is published, with features from the state that the stream is at now. */
export class LivePredictor implements Predictor {
  readonly fields: readonly RecordField[];
  readonly columns: readonly string[];
  readonly task: Config['target']['task'];
  /** Resolves when there is a version. */
  readonly hasVersion: Promise<void>;
  readonly #config: Config;
  readonly #plan: FeaturePlan;
  readonly #state: FeatureState;
  readonly #read: (records: readonly unknown[]) => JsonRows;
  readonly #layers: LayersScoring | null;
  readonly #ownTargetColumn: number;
  readonly #usesTarget: boolean;
  #version: ServedVersion | null = null;
  #noteVersion = (): void => undefined;

  /** `state`: that of the running pipeline, which is only looked at. `layers`: for the models that are from files, where there are any. */
  constructor(config: Config, plan: FeaturePlan, state: FeatureState, layers: LayersScoring | null) {
    this.task = config.target.task;
    this.hasVersion = new Promise((resolve) => (this.#noteVersion = resolve));
    this.#config = config;
    this.#plan = plan;
    this.#state = state;
    this.#layers = layers;
    const isAsked =
      plan.target.as === 'change' || Object.values(config.models).some(({ kind }) => kind === 'lastValue');
    this.#usesTarget = plan.target.hasHorizon && isAsked;
    this.fields = recordFields(plan, this.#usesTarget);
    this.columns = state.columns.map(({ name }) => name);
    this.#read = jsonRows(fieldPlanOf(plan), this.fields);
    const isOwnTarget = plan.features.find(({ kind, field }) => kind === 'plain' && field === plan.target.field);
    this.#ownTargetColumn = plan.target.hasHorizon
      ? state.columns.findIndex(({ feature }) => feature === isOwnTarget?.name)
      : -1;
  }

  get version(): ServedVersion | null {
    return this.#version;
  }

  /** Serves a version from now on. Requests under way end with the version that they began with. */
  publish(version: ServedVersion): void {
    this.#version = version;
    this.#noteVersion();
  }

  versionOf(saved: SavedState): ServedVersion {
    const config = this.#config;
    const facts = { featureCount: this.columns.length, restoredRows: 0, wantsPredictions: false };
    return servedVersion(saved, {
      config,
      scoring: { ...trainerOptions(config, facts), layers: this.#layers },
      scaler: makeScaler(config, this.#state.columns),
      ownTargetColumn: this.#ownTargetColumn,
    });
  }

  rowsOf(records: readonly unknown[]): PostedRows {
    const { columns, faults, missing } = this.#read(records);
    const good = faults.length === 0 ? [...missing.keys()] : [];
    return { rows: this.rowsAt(columns, good), faults, missing };
  }

  /** The rows at these indexes of columns in the order of the plan. */
  rowsAt(columns: FeatureRows, indexes: readonly number[]): RawRows {
    const state = this.#state;
    const rowCount = indexes.length;
    const width = state.featureCount;
    const features = new Float64Array(rowCount * width);
    const ownTargets = new Float64Array(rowCount).fill(Number.NaN);
    const keyIds = new Int32Array(rowCount);
    const keys = state.keysOf(columns);
    for (const [row, index] of indexes.entries()) {
      const key = keys === null ? onlyKey : (keys[index] ?? '');
      state.peek(columns, index, key, features.subarray(row * width, (row + 1) * width));
      if (this.#usesTarget) ownTargets[row] = state.peekTarget(columns, index);
      keyIds[row] = state.keys.find(key)?.id ?? -1;
    }
    return { rowCount, features, ownTargets, keyIds };
  }

  /** The field without which the row at this index cannot be predicted and which it has not; null where it has all. */
  lackedBy(columns: FeatureRows, index: number): string | null {
    const { key, target } = this.#plan;
    if (key !== null && (this.#state.keysOf(columns)?.[index] ?? '') === '') return key;
    return target.as === 'change' && Number.isNaN(this.#state.peekTarget(columns, index)) ? target.field : null;
  }

  rowsOfFeatures(features: Float64Array): RawRows {
    const width = this.columns.length;
    const rowCount = features.length / width;
    const column = this.#ownTargetColumn;
    const ownTargets = Float64Array.from({ length: rowCount }, (_, row) =>
      column < 0 ? Number.NaN : features[row * width + column]!,
    );
    return { rowCount, features, ownTargets, keyIds: new Int32Array(rowCount).fill(-1) };
  }
}

/** What `peek` reads of a record: lags come from what was seen before, and a target that is to be predicted is not asked for. */
function recordFields({ features, key, target }: FeaturePlan, usesTarget: boolean): readonly RecordField[] {
  const fields = new Map<string, RecordField>();
  const add = (name: string, type: RecordField['type'], isRequired: boolean): void => {
    const known = fields.get(name);
    fields.set(name, { name, type: known?.type ?? type, isRequired: isRequired || known?.isRequired === true });
  };
  for (const { kind, field } of features) if (kind !== 'lag') add(field, kind === 'oneHot' ? 'text' : 'number', false);
  if (usesTarget) add(target.field, target.kind === 'number' ? 'number' : 'text', target.as === 'change');
  if (key !== null) add(key, 'text', true);
  return [...fields.values()];
}
