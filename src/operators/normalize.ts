import type { OperatorFunction } from 'rxjs';
import { map } from 'rxjs';
import type { RowBlock, ScaledBlock, Snapshot } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';

/** What `normalize` needs of a scaler: `RunningMoments`, or `unscaled` where the config says `none`. */
export interface Scaler {
  learn(features: Float64Array, at: number): void;
  transform(features: Float64Array, out: Float32Array, at: number): void;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}

/** Lets features pass as they are, but for a missing value, which is 0. */
export function unscaled(featureCount: number): Scaler {
  return {
    learn: () => undefined,
    transform: (features, out, at) => {
      for (let index = at; index < at + featureCount; index += 1) {
        const value = features[index]!;
        out[index] = Number.isNaN(value) ? 0 : value;
      }
    },
    snapshot: () => ({ json: {}, arrays: {} }),
    restore: () => undefined,
  };
}

/**
 * Standardizes features row by row in stream order: each row is **learned, then transformed**, so the result depends on
 * the rows before it and not on how blocks were cut. A barrier takes the moments along as the part `normalize`.
 */
export function normalize(scaler: Scaler, telemetry: Telemetry): OperatorFunction<RowBlock, ScaledBlock> {
  return map((block) => {
    const startedMs = performance.now();
    const { rowCount, featureCount } = block;
    const features = new Float32Array(rowCount * featureCount);
    for (let at = 0; at < features.length; at += featureCount) {
      scaler.learn(block.features, at);
      scaler.transform(block.features, features, at);
    }
    block.barrier?.parts.set('normalize', scaler.snapshot());
    const seconds = (performance.now() - startedMs) / 1000;
    if (rowCount > 0) telemetry.emit({ type: 'blockNormalized', rows: rowCount, seconds });
    return {
      ...block,
      release: () => {
        block.release();
      },
      features,
    };
  });
}
