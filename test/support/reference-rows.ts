import type { FeaturePlan } from '../../src/operators/feature-plan.ts';
import { fieldPlanOf } from '../../src/operators/feature-plan.ts';
import type { Batch, DecodedBlock, Snapshot } from '../../src/records.ts';

/** One row on its way, with its features. */
export interface ReferenceRow {
  readonly features: number[];
  readonly target: number;
  readonly timeMs: number;
  readonly timestampMs: number;
  readonly offset: number;
  readonly keyId: number;
  readonly evictedKeyId: number;
  readonly originId: number;
  readonly partition: number;
  readonly isScored: boolean;
}

interface Key {
  readonly key: string;
  readonly id: number;
  readonly slot: number;
}

/** What `derive` does, one row after the other and with plain objects: slow and obvious. */
export class ReferenceDerive {
  readonly rejects: unknown[] = [];
  readonly missed: Record<string, number> = {};
  filtered = 0;
  readonly #plan: FeaturePlan;
  /** From the key seen longest ago to the latest. */
  #keys: Key[] = [];
  #nextId = 0;
  readonly #lagFields: readonly string[];
  readonly #depth: number;
  readonly #lags: { values: number[][]; cursor: number }[] = [];
  readonly #categories: string[][];
  readonly #classes: string[];

  constructor(plan: FeaturePlan) {
    this.#plan = plan;
    const lags = plan.features.filter((feature) => feature.kind === 'lag');
    this.#lagFields = [...new Set(lags.map(({ field }) => field))];
    this.#depth = Math.max(1, ...lags.map(({ rows }) => rows));
    this.#categories = plan.features.map(() => []);
    this.#classes = [...(plan.target.classes ?? [])];
  }

  take(block: DecodedBlock): ReferenceRow[] {
    const rows: ReferenceRow[] = [];
    for (let index = 0; index < block.rowCount; index += 1) {
      const row = this.#row(block, index);
      if (typeof row === 'object') rows.push(row);
      else if (row === 'target.missing') this.filtered += 1;
      else this.rejects.push([block.offsets[index], row]);
    }
    return rows;
  }

  snapshot(): Snapshot {
    const slots = [...this.#lags.keys()];
    return {
      json: {
        rejected: this.rejects.length,
        filtered: this.filtered,
        categories: this.#categories,
        classes: this.#classes,
        keys: { nextId: this.#nextId, keys: this.#keys.map(({ key }) => key) },
      },
      arrays: {
        ids: Int32Array.from(this.#keys, ({ id }) => id),
        slots: Int32Array.from(this.#keys, ({ slot }) => slot),
        lagValues: Float64Array.from(slots.flatMap((slot) => this.#lags[slot]!.values.flat())),
        lagCursors: Int32Array.from(slots, (slot) => this.#lags[slot]!.cursor),
      },
    };
  }

  #row(block: DecodedBlock, index: number): ReferenceRow | string {
    const { key: keyField, time, target: spec, features } = this.#plan;
    const key = keyField === null ? 'all' : this.#text(block, index, keyField);
    if (key === null || key === '') return 'key.missing';
    const timeMs = time === null ? block.timestampsMs[index]! : block.times[0]![index]!;
    if (Number.isNaN(timeMs)) return 'time.missing';
    const target = this.#target(block, index);
    if (typeof target === 'string') return target;
    if (Number.isNaN(target) && !(spec.hasHorizon && spec.as === 'value')) return 'target.missing';
    const { seen, evictedKeyId } = this.#see(key);
    const lags = this.#lags[seen.slot]!;
    const values = features.flatMap((feature, place): number[] => {
      const made = this.#feature(block, index, feature, place, lags);
      const isMissing =
        feature.kind === 'oneHot' ? this.#text(block, index, feature.field) === null : Number.isNaN(made[0]);
      if (isMissing) this.missed[feature.name] = (this.missed[feature.name] ?? 0) + 1;
      return made;
    });
    for (const [field, name] of this.#lagFields.entries()) {
      lags.values[field]![lags.cursor] = this.#number(block, index, name);
    }
    lags.cursor = (lags.cursor + 1) % this.#depth;
    const { originId, partition, isScored } = block;
    const [timestampMs, offset] = [block.timestampsMs[index]!, block.offsets[index]!];
    return {
      features: values,
      target,
      timeMs,
      timestampMs,
      offset,
      keyId: seen.id,
      evictedKeyId,
      originId,
      partition,
      isScored,
    };
  }

  #feature(
    block: DecodedBlock,
    index: number,
    feature: FeaturePlan['features'][number],
    place: number,
    lags: { readonly values: readonly (readonly number[])[]; readonly cursor: number },
  ): number[] {
    switch (feature.kind) {
      case 'plain':
        return [this.#number(block, index, feature.field)];
      case 'cyclic': {
        const angle = (2 * Math.PI * this.#number(block, index, feature.field)) / feature.period;
        return [Math.sin(angle), Math.cos(angle)];
      }
      case 'oneHot': {
        const names = this.#categories[place]!;
        const name = this.#text(block, index, feature.field);
        if (name !== null && !names.includes(name) && names.length < feature.max) names.push(name);
        const id = name === null ? -1 : names.includes(name) ? names.indexOf(name) : feature.max;
        return Array.from({ length: feature.max + 1 }, (_, column) => (column === id ? 1 : 0));
      }
      case 'lag': {
        const ring = lags.values[this.#lagFields.indexOf(feature.field)]!;
        return [ring[(lags.cursor - feature.rows + this.#depth) % this.#depth]!];
      }
    }
  }

  #target(block: DecodedBlock, index: number): number | string {
    const { target } = this.#plan;
    if (target.kind === 'number') return this.#number(block, index, target.field);
    const name = this.#text(block, index, target.field);
    if (name === null) return Number.NaN;
    if (this.#classes.includes(name)) return this.#classes.indexOf(name);
    if (target.classes !== null) return 'target.unknownClass';
    if (this.#classes.length >= target.maxClasses) return 'target.tooManyClasses';
    return this.#classes.push(name) - 1;
  }

  #see(key: string): { seen: Key; evictedKeyId: number } {
    const known = this.#keys.find((entry) => entry.key === key);
    if (known !== undefined) {
      this.#keys = [...this.#keys.filter((entry) => entry !== known), known];
      return { seen: known, evictedKeyId: -1 };
    }
    const evicted = this.#keys.length >= this.#plan.maxKeys ? this.#keys.shift() : undefined;
    const slot = evicted?.slot ?? this.#keys.length;
    const seen = { key, id: this.#nextId, slot };
    this.#nextId += 1;
    this.#keys.push(seen);
    this.#lags[slot] = { values: this.#lagFields.map(() => Array<number>(this.#depth).fill(Number.NaN)), cursor: 0 };
    return { seen, evictedKeyId: evicted?.id ?? -1 };
  }

  #number(block: DecodedBlock, index: number, field: string): number {
    return block.numbers[fieldPlanOf(this.#plan).numbers.indexOf(field)]![index]!;
  }

  #text(block: DecodedBlock, index: number, field: string): string | null {
    return block.texts[fieldPlanOf(this.#plan).texts.indexOf(field)]![index]!;
  }
}

/** What `normalize` does to one column, by Welford's formulas, divided by the count as multiplied by its share. */
export class ReferenceMoments {
  count = 0;
  mean = 0;
  m2 = 0;
  readonly #memory: number;

  constructor(memory: number) {
    this.#memory = memory;
  }

  /** Learns a value, then standardizes it; in Float32 only where it is stored. */
  normalize(value: number): number {
    if (Number.isNaN(value)) return 0;
    if (this.count >= this.#memory) this.m2 *= (this.#memory - 1) / this.#memory;
    else this.count += 1;
    const delta = value - this.mean;
    const share = 1 / this.count;
    this.mean += delta * share;
    this.m2 += delta * (value - this.mean);
    const variance = this.m2 * share;
    return (value - this.mean) / (variance > 0 ? Math.sqrt(variance) : 1);
  }
}

/** The columns of a batch of these rows. */
export function referenceBatch(
  rows: readonly ReferenceRow[],
): Omit<Batch, 'barrier' | 'isEndOfInput' | 'release' | 'featureCount'> {
  return {
    rowCount: rows.length,
    features: Float32Array.from(rows.flatMap(({ features }) => features)),
    targets: Float64Array.from(rows, ({ target }) => target),
    timesMs: Float64Array.from(rows, ({ timeMs }) => timeMs),
    timestampsMs: Float64Array.from(rows, ({ timestampMs }) => timestampMs),
    offsets: Float64Array.from(rows, ({ offset }) => offset),
    keyIds: Int32Array.from(rows, ({ keyId }) => keyId),
    originIds: Int32Array.from(rows, ({ originId }) => originId),
    partitions: Int32Array.from(rows, ({ partition }) => partition),
    isScored: Uint8Array.from(rows, ({ isScored }) => (isScored ? 1 : 0)),
    evictedKeyIds: Int32Array.from(rows.map(({ evictedKeyId }) => evictedKeyId).filter((id) => id >= 0)),
  };
}
