import * as tf from '@tensorflow/tfjs-core';
import type { Snapshot } from '../records.ts';
import type { CompiledStep, Inputs } from './graph/compiled-step.ts';
import type { GraphHead } from './graph-head.ts';
import { type Learner, type LearnResult, noBadRows, type Rows, type Weight } from './learner.ts';
import { hasSlots } from './optimizer.ts';
import type { OutputHead } from './output-head.ts';
import { below, float32Array, float64Array, withPrefix, type Arrays } from './snapshot-parts.ts';

/** A weight; one that is not trained has no slots. */
export interface CompiledWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly isTrained: boolean;
}

/** What a compiled learner is made of. */
export interface CompiledModel {
  readonly head: OutputHead;
  readonly graphHead: GraphHead;
  readonly learningRate: number;
  readonly weights: readonly CompiledWeight[];
  /** Takes `features` and what the graph head feeds; gives `outputs`, as its function `predict` does. */
  readonly step: CompiledStep;
}

/**
 * A net on the tensorflow backend: one call of a compiled graph predicts the rows and takes the step. Weights and slots live in
 * TensorFlow's session; snapshots have the names and meaning of the net's eager learner, so that a state moves between backends.
 */
export class CompiledLearner implements Learner {
  readonly #head: OutputHead;
  readonly #graphHead: GraphHead;
  readonly #weights: readonly CompiledWeight[];
  readonly #learningRate: number;
  readonly #step: CompiledStep;

  constructor({ head, graphHead, learningRate, weights, step }: CompiledModel) {
    this.#head = head;
    this.#graphHead = graphHead;
    this.#weights = weights;
    this.#learningRate = learningRate;
    this.#step = step;
  }

  predict(rows: Rows): Float64Array {
    if (rows.rowCount === 0) return new Float64Array(0);
    const { outputs } = this.#step.evaluate('predict', featuresOf(rows), rows.rowCount);
    return this.#head.predictions(rows, outputs as Float32Array);
  }

  learn(rows: Rows, labels: Float64Array): LearnResult {
    const inputs = { ...featuresOf(rows), ...this.#graphHead.feeds(rows, labels) };
    const { applied, loss, outputs } = this.#step.run(inputs, rows.rowCount, this.#learningRate);
    const raw = outputs['outputs'] as Float32Array;
    const predictions = this.#head.predictions(rows, raw);
    return {
      predictions,
      loss,
      applied,
      badRows: applied ? noBadRows : this.#badRows(rows, raw, labels),
    };
  }

  /** Where the loss is not finite, and where a feature is not: oneDNN's relu makes 0 of what is not a number. */
  #badRows(rows: Rows, outputs: Float32Array, labels: Float64Array): Int32Array {
    const bad = new Set(this.#head.gradient(rows, outputs, labels).badRows);
    const { featureCount, features } = rows;
    for (let i = 0; i < rows.rowCount * featureCount; i++) {
      if (!Number.isFinite(features[i])) bad.add(Math.floor(i / featureCount));
    }
    return Int32Array.from(bad).sort();
  }

  weights(): readonly Weight[] {
    const { variables } = this.#step.exportState();
    return this.#weights.map(({ name, shape }) => ({ name, shape, values: variables[name] as Float32Array }));
  }

  snapshot(): Snapshot {
    const { variables, slots, powers } = this.#step.exportState();
    const optimizer = Object.entries(slots).map(([name, values]) => [name.replace('/', '.'), values] as const);
    const steps: Arrays = powers.length === 0 ? {} : { powers };
    return {
      json: {},
      arrays: {
        ...withPrefix('weights', variables),
        ...withPrefix('optimizer', { ...steps, ...(Object.fromEntries(optimizer) as Arrays) }),
      },
    };
  }

  restore(snapshot: Snapshot): void {
    const { slotNames, powerCount } = this.#step;
    const weights = below('weights', snapshot.arrays);
    const optimizer = below('optimizer', snapshot.arrays);
    const read = (arrays: Arrays, wanted: readonly CompiledWeight[]) =>
      wanted.map(({ name, shape }) => [name, float32Array(arrays, name, tf.util.sizeFromShape([...shape]))] as const);
    const variables = Object.fromEntries(read(weights, this.#weights));
    const trained = this.#weights.filter(({ isTrained }) => isTrained);
    // All begins anew where the snapshot has no slot of the optimizer, as after a change from one to another.
    const isSaved = hasSlots(optimizer, slotNames);
    const slots = isSaved
      ? slotNames.flatMap((slot) =>
          read(below(slot, optimizer), trained).map(([name, values]) => [`${slot}/${name}`, values] as const),
        )
      : [];
    const powers =
      isSaved && powerCount > 0 ? float64Array(optimizer, 'powers', powerCount) : new Float64Array(powerCount).fill(1);
    this.#step.importState({ variables, slots: Object.fromEntries(slots), powers });
  }

  dispose(): void {
    this.#step.dispose();
  }
}

function featuresOf({ rowCount, featureCount, features }: Rows): Inputs {
  return { features: features.subarray(0, rowCount * featureCount) };
}
