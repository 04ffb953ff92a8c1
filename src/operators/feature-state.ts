import assert from 'node:assert/strict';
import type { DecodedColumns, FilterReason, RejectReason, Snapshot } from '../records.ts';
import type { FeatureColumn, FeaturePlan, FeatureSpec } from './feature-plan.ts';
import { featureColumns, fieldPlanOf } from './feature-plan.ts';
import type { SeenKey } from './key-table.ts';
import { KeyTable } from './key-table.ts';
import { LagStore } from './lag-store.ts';
import { NameTable } from './name-table.ts';

/** A feature with its places: the decoded column it reads and the first output column it writes. */
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
const onlyKey = 'all';

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
  /** Decoded columns with lags, each once. */
  readonly #lagColumns: readonly number[];
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
    const lags = this.#features.filter((feature) => feature.kind === 'lag');
    this.#lagColumns = [...new Set(lags.map((feature) => feature.column))];
    this.#lags = new LagStore(this.#lagColumns.length, Math.max(1, ...lags.map((feature) => feature.rows)));
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

  /** The key of a row; null where it is missing or empty. */
  keyOf(rows: FeatureRows, rowIndex: number): string | null {
    if (this.#keyColumn < 0) return onlyKey;
    const key = textAt(rows, this.#keyColumn, rowIndex);
    return key === '' ? null : key;
  }

  /** The target or class index of a row, NaN where it is missing but the row is one all the same, or why the row is none. */
  targetOf(rows: FeatureRows, rowIndex: number): number | FilterReason | Extract<RejectReason, `target.${string}`> {
    const { target } = this.#plan;
    if (target.kind === 'number') {
      const value = rows.numbers[this.#targetColumn]![rowIndex]!;
      return Number.isNaN(value) && !this.#allowsMissingTarget() ? 'target.missing' : value;
    }
    const name = textAt(rows, this.#targetColumn, rowIndex);
    if (name === null) return this.#allowsMissingTarget() ? Number.NaN : 'target.missing';
    const classId = target.classes === null ? this.classes.add(name) : (this.classes.find(name) ?? this.classes.limit);
    if (classId < this.classes.limit) return classId;
    return target.classes === null ? 'target.tooManyClasses' : 'target.unknownClass';
  }

  /** The text of a class target, for the record of a rejection. */
  classOf(rows: FeatureRows, rowIndex: number): string | null {
    return textAt(rows, this.#targetColumn, rowIndex);
  }

  /**
   * Writes the features of a row into `out[at, at + featureCount)`, original units, and learns the row: its key is
   * seen, its categories get ids, its values become lags.
   */
  advance(rows: FeatureRows, rowIndex: number, key: string, out: Float64Array, at: number): SeenKey {
    const seen = this.keys.see(key);
    if (seen.isNew) this.#lags.clear(seen.slot);
    for (let index = 0; index < this.#features.length; index += 1) {
      const feature = this.#features[index]!;
      const category = feature.kind === 'oneHot' ? textAt(rows, feature.column, rowIndex) : null;
      if (category !== null) this.#categories[index]!.add(category);
    }
    this.#write(rows, rowIndex, seen.slot, out, at);
    this.#countMissed(rows, rowIndex, out, at);
    for (let field = 0; field < this.#lagColumns.length; field += 1) {
      this.#lags.write(seen.slot, field, rows.numbers[this.#lagColumns[field]!]![rowIndex]!);
    }
    this.#lags.turn(seen.slot);
    return seen;
  }

  /** Writes the features that `advance` would write, bit by bit, and changes nothing. */
  peek(rows: FeatureRows, rowIndex: number, key: string, out: Float64Array, at: number): void {
    this.#write(rows, rowIndex, this.keys.find(key)?.slot ?? -1, out, at);
  }

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

  #allowsMissingTarget(): boolean {
    return this.#plan.target.hasHorizon && this.#plan.target.as === 'value';
  }

  #write(rows: FeatureRows, rowIndex: number, slot: number, out: Float64Array, at: number): void {
    for (let index = 0; index < this.#features.length; index += 1) {
      const feature = this.#features[index]!;
      const place = at + feature.at;
      switch (feature.kind) {
        case 'plain':
          out[place] = rows.numbers[feature.column]![rowIndex]!;
          break;
        case 'cyclic': {
          const angle = (2 * Math.PI * rows.numbers[feature.column]![rowIndex]!) / feature.period;
          out[place] = Math.sin(angle);
          out[place + 1] = Math.cos(angle);
          break;
        }
        case 'oneHot': {
          const category = textAt(rows, feature.column, rowIndex);
          out.fill(0, place, place + feature.max + 1);
          if (category !== null) out[place + this.#categories[index]!.peek(category)] = 1;
          break;
        }
        case 'lag':
          out[place] =
            slot < 0 ? Number.NaN : this.#lags.read(slot, this.#lagColumns.indexOf(feature.column), feature.rows);
      }
    }
  }

  #countMissed(rows: FeatureRows, rowIndex: number, out: Float64Array, at: number): void {
    for (let index = 0; index < this.#features.length; index += 1) {
      const feature = this.#features[index]!;
      const isMissing =
        feature.kind === 'oneHot'
          ? textAt(rows, feature.column, rowIndex) === null
          : Number.isNaN(out[at + feature.at]!);
      if (isMissing) this.missedValues[index]! += 1;
    }
  }
}

function textAt(rows: FeatureRows, column: number, rowIndex: number): string | null {
  return rows.texts[column]![rowIndex] ?? null;
}
