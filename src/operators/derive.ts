import type { OperatorFunction } from 'rxjs';
import { map } from 'rxjs';
import { columnCutter, ColumnMemory } from '../columns.ts';
import type { DecodedBlock, FilterReason, RejectReason, RowBlock } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import type { OnReject } from './decode.ts';
import type { FeaturePlan } from './feature-plan.ts';
import type { FeatureState } from './feature-state.ts';
import { onlyKey } from './feature-state.ts';
import { KeptRows } from './kept-rows.ts';

/** Which features to make, and who is told of rows that cannot be used. */
export interface DeriveOptions {
  readonly plan: FeaturePlan;
  readonly onReject: OnReject;
  readonly telemetry: Telemetry;
}

/**
 * Turns wanted fields into features and a target, as if row by row in stream order. A row without a key, a time, or (where
 * it is needed) a target is rejected or filtered, and then changes no state. The decoded columns are given back to the
 * decoder; those of a released block are written over. A barrier takes the state along as the part `derive`.
 */
export function derive(state: FeatureState, options: DeriveOptions): OperatorFunction<DecodedBlock, RowBlock> {
  const reused = { kept: new KeptRows(), memory: new ColumnMemory() };
  return map((block) => new BlockDerivation(block, state, options, reused).run());
}

/** What every block uses anew. */
interface Reused {
  readonly kept: KeptRows;
  readonly memory: ColumnMemory;
}

/** One block on its way: first which rows stay, then their features. */
class BlockDerivation {
  readonly #block: DecodedBlock;
  readonly #state: FeatureState;
  readonly #options: DeriveOptions;
  readonly #kept: KeptRows;
  readonly #memory: ColumnMemory;
  readonly #buffer: ArrayBuffer;
  /** [rowCount of the block × featureCount]. */
  readonly #features: Float64Array;
  readonly #targets: Float64Array;
  readonly #timesMs: Float64Array;
  readonly #keyIds: Int32Array;
  readonly #evictedKeyIds: Int32Array;
  readonly #rejected = new Map<RejectReason, number>();
  readonly #filtered = new Map<FilterReason, number>();
  #evictions = 0;

  constructor(block: DecodedBlock, state: FeatureState, options: DeriveOptions, { kept, memory }: Reused) {
    const capacity = block.rowCount;
    this.#block = block;
    this.#state = state;
    this.#options = options;
    this.#kept = kept;
    this.#memory = memory;
    this.#buffer = memory.take(capacity * (8 * state.featureCount + 2 * 8 + 2 * 4));
    const cut = columnCutter(this.#buffer);
    this.#features = cut(Float64Array, capacity * state.featureCount);
    this.#targets = cut(Float64Array, capacity);
    this.#timesMs = cut(Float64Array, capacity);
    this.#keyIds = cut(Int32Array, capacity);
    this.#evictedKeyIds = cut(Int32Array, capacity);
  }

  run(): RowBlock {
    const startedMs = performance.now();
    const { barrier, isEndOfInput, originId, partition, isScored, timestampsMs, offsets } = this.#block;
    this.#keepRows();
    const { featureCount } = this.#state;
    const { count: rowCount } = this.#kept;
    const features = this.#features.subarray(0, rowCount * featureCount);
    this.#state.advance(this.#block, this.#kept, features);
    this.#tell((performance.now() - startedMs) / 1000);
    barrier?.parts.set('derive', this.#state.snapshot());
    this.#block.recycle?.();
    return {
      barrier,
      isEndOfInput,
      release: () => {
        this.#block.release();
        this.#memory.give(this.#buffer);
      },
      originId,
      partition,
      isScored,
      rowCount,
      featureCount,
      features,
      targets: this.#targets.subarray(0, rowCount),
      timesMs: this.#timesMs.subarray(0, rowCount),
      timestampsMs: this.#picked(timestampsMs),
      offsets: this.#picked(offsets),
      keyIds: this.#keyIds.subarray(0, rowCount),
      evictedKeyIds: this.#evictedKeyIds.subarray(0, rowCount),
    };
  }

  #keepRows(): void {
    const { rowCount, times, timestampsMs } = this.#block;
    const { plan } = this.#options;
    const keys = this.#state.keysOf(this.#block);
    const timesMs = plan.time === null ? timestampsMs : times[0]!;
    this.#kept.reset(rowCount);
    for (let index = 0; index < rowCount; index += 1) {
      const key = keys === null ? onlyKey : (keys[index] ?? '');
      if (key === '') this.#reject(index, 'key.missing', `${plan.key ?? ''} is missing`);
      else if (Number.isNaN(timesMs[index]!)) {
        this.#reject(index, 'time.missing', `${plan.time ?? 'the timestamp'} is missing`);
      } else {
        const target = this.#state.targetOf(this.#block, index);
        if (!Number.isNaN(target) || this.#isRowWithoutTarget(index)) this.#keep(index, key, timesMs[index]!, target);
      }
    }
  }

  #keep(index: number, key: string, timeMs: number, target: number): void {
    const { keys } = this.#state;
    const row = this.#kept.count;
    const slot = keys.see(key);
    const { evictedId } = keys;
    this.#kept.add(index, slot, keys.isNew);
    this.#targets[row] = target;
    this.#timesMs[row] = timeMs;
    this.#keyIds[row] = keys.idOf(slot);
    this.#evictedKeyIds[row] = evictedId;
    if (evictedId >= 0) this.#evictions += 1;
  }

  #isRowWithoutTarget(index: number): boolean {
    const fault = this.#state.targetFault(this.#block, index);
    if (fault === 'target.missing') {
      this.#state.filtered += 1;
      this.#filtered.set(fault, (this.#filtered.get(fault) ?? 0) + 1);
    } else if (fault !== null) {
      const name = JSON.stringify(this.#state.classOf(this.#block, index)?.slice(0, 100));
      this.#reject(index, fault, `${this.#options.plan.target.field}: ${name}`);
    }
    return fault === null;
  }

  /** The values of the rows that stay: all of them are the block's own. */
  #picked(values: Float64Array): Float64Array {
    const { count, indexes } = this.#kept;
    if (count === this.#block.rowCount) return values;
    const picked = new Float64Array(count);
    for (let row = 0; row < count; row += 1) picked[row] = values[indexes[row]!]!;
    return picked;
  }

  #reject(index: number, reason: RejectReason, detail: string): void {
    this.#state.rejected += 1;
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
    this.#options.onReject(this.#block.source, this.#block.recordIndexes[index]!, reason, detail);
  }

  #tell(seconds: number): void {
    const { telemetry, plan } = this.#options;
    const { count: rows } = this.#kept;
    if (this.#block.rowCount > 0) telemetry.emit({ type: 'blockDerived', rows, seconds });
    for (const [reason, records] of this.#rejected) telemetry.emit({ type: 'recordsRejected', reason, records });
    for (const [reason, records] of this.#filtered) telemetry.emit({ type: 'recordsFiltered', reason, records });
    if (this.#evictions > 0) telemetry.emit({ type: 'keysEvicted', keys: this.#evictions });
    for (const [index, values] of this.#state.missedValues.entries()) {
      if (values > 0) telemetry.emit({ type: 'valuesMissed', field: plan.features[index]!.name, values });
    }
    this.#state.missedValues.fill(0);
  }
}
