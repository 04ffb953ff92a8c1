import type { OperatorFunction } from 'rxjs';
import { map } from 'rxjs';
import type { DecodedBlock, FilterReason, RejectReason, RowBlock } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import type { OnReject } from './decode.ts';
import type { FeaturePlan } from './feature-plan.ts';
import type { FeatureState } from './feature-state.ts';

export interface DeriveOptions {
  readonly plan: FeaturePlan;
  readonly onReject: OnReject;
  readonly telemetry: Telemetry;
}

/**
 * Turns wanted fields into features and a target, row by row in stream order. A row without a key, a time, or (where it
 * is needed) a target is rejected or filtered, and then changes no state. A barrier takes the state along as the part `derive`.
 */
export function derive(state: FeatureState, options: DeriveOptions): OperatorFunction<DecodedBlock, RowBlock> {
  return map((block) => new BlockDerivation(block, state, options).run());
}

/** One block on its way: output columns, filled row by row. */
class BlockDerivation {
  readonly #block: DecodedBlock;
  readonly #state: FeatureState;
  readonly #options: DeriveOptions;
  readonly #features: Float64Array;
  readonly #targets: Float64Array;
  readonly #timesMs: Float64Array;
  readonly #timestampsMs: Float64Array;
  readonly #offsets: Float64Array;
  readonly #keyIds: Int32Array;
  readonly #evictedKeyIds: Int32Array;
  readonly #rejected = new Map<RejectReason, number>();
  readonly #filtered = new Map<FilterReason, number>();
  #rowCount = 0;
  #evictions = 0;

  constructor(block: DecodedBlock, state: FeatureState, options: DeriveOptions) {
    const capacity = block.rowCount;
    this.#block = block;
    this.#state = state;
    this.#options = options;
    this.#features = new Float64Array(capacity * state.featureCount);
    this.#targets = new Float64Array(capacity);
    this.#timesMs = new Float64Array(capacity);
    this.#timestampsMs = new Float64Array(capacity);
    this.#offsets = new Float64Array(capacity);
    this.#keyIds = new Int32Array(capacity);
    this.#evictedKeyIds = new Int32Array(capacity);
  }

  run(): RowBlock {
    const { barrier, isEndOfInput, originId, partition, isScored, rowCount: decodedRows } = this.#block;
    for (let index = 0; index < decodedRows; index += 1) this.#takeRow(index);
    this.#tell();
    barrier?.parts.set('derive', this.#state.snapshot());
    const rowCount = this.#rowCount;
    const { featureCount } = this.#state;
    return {
      barrier,
      isEndOfInput,
      release: () => {
        this.#block.release();
      },
      originId,
      partition,
      isScored,
      rowCount,
      featureCount,
      features: this.#features.subarray(0, rowCount * featureCount),
      targets: this.#targets.subarray(0, rowCount),
      timesMs: this.#timesMs.subarray(0, rowCount),
      timestampsMs: this.#timestampsMs.subarray(0, rowCount),
      offsets: this.#offsets.subarray(0, rowCount),
      keyIds: this.#keyIds.subarray(0, rowCount),
      evictedKeyIds: this.#evictedKeyIds.subarray(0, rowCount),
    };
  }

  #takeRow(index: number): void {
    const { plan } = this.#options;
    const key = this.#state.keyOf(this.#block, index);
    if (key === null) {
      this.#reject(index, 'key.missing', `${plan.key ?? ''} is missing`);
      return;
    }
    const timeMs = (plan.time === null ? this.#block.timestampsMs : this.#block.times[0]!)[index]!;
    if (Number.isNaN(timeMs)) {
      this.#reject(index, 'time.missing', `${plan.time ?? 'the timestamp'} is missing`);
      return;
    }
    const target = this.#state.targetOf(this.#block, index);
    if (target === 'target.missing') {
      this.#state.filtered += 1;
      this.#filtered.set(target, (this.#filtered.get(target) ?? 0) + 1);
      return;
    }
    if (typeof target === 'string') {
      const name = JSON.stringify(this.#state.classOf(this.#block, index)?.slice(0, 100));
      this.#reject(index, target, `${plan.target.field}: ${name}`);
      return;
    }
    this.#addRow(index, key, timeMs, target);
  }

  #addRow(index: number, key: string, timeMs: number, target: number): void {
    const row = this.#rowCount;
    const at = row * this.#state.featureCount;
    const { id, evictedId } = this.#state.advance(this.#block, index, key, this.#features, at);
    this.#targets[row] = target;
    this.#timesMs[row] = timeMs;
    this.#timestampsMs[row] = this.#block.timestampsMs[index]!;
    this.#offsets[row] = this.#block.offsets[index]!;
    this.#keyIds[row] = id;
    this.#evictedKeyIds[row] = evictedId;
    if (evictedId >= 0) this.#evictions += 1;
    this.#rowCount += 1;
  }

  #reject(index: number, reason: RejectReason, detail: string): void {
    this.#state.rejected += 1;
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
    this.#options.onReject(this.#block.source, this.#block.recordIndexes[index]!, reason, detail);
  }

  #tell(): void {
    const { telemetry, plan } = this.#options;
    for (const [reason, records] of this.#rejected) telemetry.emit({ type: 'recordsRejected', reason, records });
    for (const [reason, records] of this.#filtered) telemetry.emit({ type: 'recordsFiltered', reason, records });
    if (this.#evictions > 0) telemetry.emit({ type: 'keysEvicted', keys: this.#evictions });
    for (const [index, values] of this.#state.missedValues.entries()) {
      if (values > 0) telemetry.emit({ type: 'valuesMissed', field: plan.features[index]!.name, values });
    }
    this.#state.missedValues.fill(0);
  }
}
