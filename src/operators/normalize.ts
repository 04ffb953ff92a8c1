import type { OperatorFunction } from 'rxjs';
import { map } from 'rxjs';
import type { RowBlock, ScaledBlock, Snapshot } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import { ColumnMemory } from '../columns.ts';

/** What `normalize` needs of a scaler: `RunningMoments`, or `unscaled` where the config says `none`. */
export interface Scaler {
  /** Learns each row of `features` [rowCount × featureCount], then writes it transformed into `out`. */
  normalize(features: Float64Array, out: Float32Array, rowCount: number): void;
  /** Writes the row that begins at `at` transformed by what is learned so far into `out`, and learns nothing. */
  transform(features: Float64Array, out: Float32Array, at: number): void;
  /** A copy of what is learned. */
  snapshot(): Snapshot;
  /** Goes on from a snapshot. */
  restore(snapshot: Snapshot): void;
}

/** Lets features pass as they are, but for a missing value, which is 0. */
export function unscaled(featureCount: number): Scaler {
  const copy = (features: Float64Array, out: Float32Array, from: number, to: number): void => {
    for (let index = from; index < to; index += 1) {
      const value = features[index]!;
      out[index] = Number.isNaN(value) ? 0 : value;
    }
  };
  return {
    normalize: (features, out, rowCount) => {
      copy(features, out, 0, rowCount * featureCount);
    },
    transform: (features, out, at) => {
      copy(features, out, at, at + featureCount);
    },
    snapshot: () => ({ json: {}, arrays: {} }),
    restore: () => undefined,
  };
}

/**
 * Standardizes features row by row in stream order: each row is **learned, then transformed**, so the result depends on
 * the rows before it and not on how blocks were cut. The features of a released block are written over. A barrier takes
 * the moments along as the part `normalize`.
 */
export function normalize(scaler: Scaler, telemetry: Telemetry): OperatorFunction<RowBlock, ScaledBlock> {
  const memory = new ColumnMemory();
  return map((block) => {
    const startedMs = performance.now();
    const { rowCount, featureCount } = block;
    const buffer = memory.take(4 * rowCount * featureCount);
    const features = new Float32Array(buffer, 0, rowCount * featureCount);
    scaler.normalize(block.features, features, rowCount);
    block.barrier?.parts.set('normalize', scaler.snapshot());
    const seconds = (performance.now() - startedMs) / 1000;
    if (rowCount > 0) telemetry.emit({ type: 'blockNormalized', rows: rowCount, seconds });
    return {
      ...block,
      release: () => {
        block.release();
        memory.give(buffer);
      },
      features,
    };
  });
}
