import assert from 'node:assert/strict';
import type { DecodedColumns, FilterReason, RejectReason, Snapshot } from '../records.ts';
import type { FeatureColumn, FeaturePlan, FeatureSpec } from './feature-plan.ts';
import { featureColumns, fieldPlanOf } from './feature-plan.ts';
import { writeCyclic, writeOneHot, writePlain, type RowPlaces } from './feature-writers.ts';
import type { KeptRows } from './kept-rows.ts';
import { KeyTable } from './key-table.ts';
import { LagStore, type LagWant } from './lag-store.ts';
import { NameTable } from './name-table.ts';

/** A feature with its places: the decoded column it reads and the first column it writes. */
type PlacedFeature = FeatureSpec & { readonly column: number; readonly at: number };

/** The columns that a row is made of; `decode` gives many rows of them, serving one. */
export type FeatureRows = Pick<DecodedColumns, 'numbers' | 'texts'>;

interface Facts {
  readonly rejected: number;
  readonly filtered: number;
  readonly categories: readonly (readonly string[])[];
  readonly classes: readonly string[];
  readonly keys: Snapshot['json'];
}

/** The key of all rows where the config names none. */
export const onlyKey = 'all';

/** All that `derive` remembers: keys, their lags, categories and classes by first appearance, and what it left out. */
export class FeatureState {
  readonly columns: readonly FeatureColumn[];
  readonly keys: KeyTable;
  readonly classes: NameTable;
  /** Missing values by feature since they were last taken, [features]. */
  readonly missedValues: Int32Array;
  rejected = 0;
  filtered = 0;
  readonly #plan: FeaturePlan;
  readonly #features: readonly PlacedFeature[];
  /** Decoded columns with lags, each once, and the features that want them. */
  readonly #lagFields: readonly { readonly column: number; readonly wants: readonly LagWant[] }[];
  readonly #lags: LagStore;
  /** By feature; used by one-hot features only. */
  readonly #categories: readonly NameTable[];
  readonly #keyColumn: number;
  readonly #targetColumn: number;

  constructor(plan: FeaturePlan) {
    const fields = fieldPlanOf(plan);
    this.#plan = plan;
    this.columns = featureColumns(plan.features);
    this.missedValues = new Int32Array(plan.features.length);
    this.#features = plan.features.map((spec) => ({
      ...spec,
      column: (spec.kind === 'oneHot' ? fields.texts : fields.numbers).indexOf(spec.field),
      at: this.columns.findIndex((column) => column.feature === spec.name),
    }));
    this.#lagFields = lagFieldsOf(this.#features);
    const depths = this.#lagFields.flatMap(({ wants }) => wants.map(({ rows }) => rows));
    this.#lags = new LagStore(this.#lagFields.length, Math.max(1, ...depths));
    this.#categories = plan.features.map((spec) => new NameTable(spec.kind === 'oneHot' ? spec.max : 0));
    this.keys = new KeyTable(plan.maxKeys);
    this.classes = new NameTable(plan.target.classes?.length ?? plan.target.maxClasses);
    for (const name of plan.target.classes ?? []) this.classes.add(name);
    this.#keyColumn = plan.key === null ? -1 : fields.texts.indexOf(plan.key);
    this.#targetColumn = (plan.target.kind === 'number' ? fields.numbers : fields.texts).indexOf(plan.target.field);
  }

  get featureCount(): number {
    return this.columns.length;
  }

  /** Names of a one-hot feature's categories by id, none for others. */
  categoriesOf(feature: number): readonly string[] {
    return this.#categories[feature]!.names;
  }

  /** The texts that are keys, where '' is missing as null is; null where all rows are of `onlyKey`. */
  keysOf(rows: FeatureRows): readonly (string | null)[] | null {
    return this.#keyColumn < 0 ? null : rows.texts[this.#keyColumn]!;
  }

  /** The target or class index of a row, giving a new class its index; NaN where it has none, see `targetFault`. */
  targetOf(rows: FeatureRows, rowIndex: number): number {
    if (this.#plan.target.kind === 'number') return rows.numbers[this.#targetColumn]![rowIndex]!;
    const name = this.classOf(rows, rowIndex);
    if (name === null) return Number.NaN;
    const classId = this.#plan.target.classes === null ? this.classes.add(name) : this.classes.find(name);
    return classId === undefined || classId === this.classes.limit ? Number.NaN : classId;
  }

  /** The target that `targetOf` would give, without giving a new class its index: NaN for one. */
  peekTarget(rows: FeatureRows, rowIndex: number): number {
    if (this.#plan.target.kind === 'number') return rows.numbers[this.#targetColumn]![rowIndex]!;
    return this.classes.find(this.classOf(rows, rowIndex) ?? '') ?? Number.NaN;
  }

  /** Why a row whose target is NaN is none; null where it is one all the same. */
  targetFault(rows: FeatureRows, rowIndex: number): FilterReason | Extract<RejectReason, `target.${string}`> | null {
    const { kind, classes, hasHorizon, as } = this.#plan.target;
    if (kind === 'number' || this.classOf(rows, rowIndex) === null) {
      return hasHorizon && as === 'value' ? null : 'target.missing';
    }
    return classes === null ? 'target.tooManyClasses' : 'target.unknownClass';
  }

  /** The text of a class target. */
  classOf(rows: FeatureRows, rowIndex: number): string | null {
    return rows.texts[this.#targetColumn]![rowIndex] ?? null;
  }

  /**
   * Writes the features of rows whose keys were seen, in their order, into `out` [kept × featureCount], original units,
   * and learns them: categories get ids, values become lags. Column by column, with what a row-by-row pass would give:
   * no feature depends on another.
   */
  advance(rows: FeatureRows, kept: KeptRows, out: Float64Array): void {
    const places = { count: kept.count, indexes: kept.indexes, out, stride: this.featureCount };
    this.#write(rows, places, true);
    this.#lags.open(kept, this.keys.size);
    for (const [field, { column, wants }] of this.#lagFields.entries()) {
      this.#lags.push(field, rows.numbers[column]!, kept, wants, places, this.missedValues);
    }
  }

  /** Writes the features that `advance` would write for one row, bit by bit, into `out` and changes nothing. */
  peek(rows: FeatureRows, rowIndex: number, key: string, out: Float64Array): void {
    this.#write(rows, { count: 1, indexes: Int32Array.of(rowIndex), out, stride: this.featureCount }, false);
    const slot = this.keys.find(key)?.slot;
    for (const [field, { wants }] of this.#lagFields.entries()) {
      for (const want of wants)
        out[want.at] = slot === undefined ? Number.NaN : this.#lags.read(slot, field, want.rows);
    }
  }

  /** A copy of what is remembered: keys, lags, classes, categories. */
  snapshot(): Snapshot {
    const keys = this.keys.snapshot();
    return {
      json: {
        rejected: this.rejected,
        filtered: this.filtered,
        categories: this.#categories.map((table) => table.names),
        classes: this.classes.names,
        keys: keys.json,
      },
      arrays: { ...keys.arrays, ...this.#lags.snapshot(this.keys.size) },
    };
  }

  /** Only into a fresh state of the same plan. */
  restore(snapshot: Snapshot): void {
    const facts = snapshot.json as unknown as Facts;
    assert.equal(facts.categories.length, this.#categories.length, 'the snapshot is of another feature plan');
    this.rejected = facts.rejected;
    this.filtered = facts.filtered;
    this.keys.restore({ json: facts.keys, arrays: snapshot.arrays });
    this.#lags.restore(snapshot);
    for (const [index, names] of facts.categories.entries()) {
      for (const name of names) this.#categories[index]!.add(name);
    }
    for (const name of facts.classes) this.classes.add(name);
  }

  /** All features but lags. */
  #write(rows: FeatureRows, places: RowPlaces, learns: boolean): void {
    for (const [index, feature] of this.#features.entries()) {
      const missed = this.#writeFeature(rows, feature, index, places, learns);
      if (learns) this.missedValues[index]! += missed;
    }
  }

  #writeFeature(rows: FeatureRows, feature: PlacedFeature, index: number, places: RowPlaces, learns: boolean): number {
    switch (feature.kind) {
      case 'plain':
        return writePlain(rows.numbers[feature.column]!, places, feature.at);
      case 'cyclic':
        return writeCyclic(rows.numbers[feature.column]!, feature.period, places, feature.at);
      case 'oneHot':
        return writeOneHot(rows.texts[feature.column]!, this.#categories[index]!, learns, places, feature.at);
      case 'lag':
        return 0;
    }
  }
}

function lagFieldsOf(features: readonly PlacedFeature[]) {
  const fields = new Map<number, LagWant[]>();
  for (const [index, feature] of features.entries()) {
    if (feature.kind !== 'lag') continue;
    const { column, rows, at } = feature;
    fields.set(column, [...(fields.get(column) ?? []), { feature: index, rows, at }]);
  }
  return Array.from(fields, ([column, wants]) => ({ column, wants }));
}
