import assert from 'node:assert/strict';
import type { Snapshot } from '../records.ts';
import { denseForward, type DenseLayer } from './dense-forward.ts';
import type { MlpSpec } from './dense-net.ts';
import { KnownClasses } from './known-classes.ts';
import type { LayersScoring } from './layers/layers-scoring.ts';
import type { Rows } from './learner.ts';
import { modelPath } from './model-path.ts';
import { outputHead } from './output-head.ts';
import { plainLearner, type PlainOptions } from './plain-learner.ts';
import { below, float32Array, type Arrays } from './snapshot-parts.ts';
import { TargetScale } from './target-scale.ts';
import type { LearnerSpec, TrainerOptions } from './trainer.ts';

/** Predicts as the learner whose state it was made from would; it learns nothing. */
export interface Scorer {
  /** As `Learner.predict`: at once, in this thread and without an engine, except where the layers are from a file. */
  predict(rows: Rows): Float64Array | Promise<Float64Array>;
}

export interface ScorerOptions extends PlainOptions, Pick<TrainerOptions, 'targetAs'> {
  /** Runs the models that are from files; null where none is. */
  readonly layers: LayersScoring | null;
}

/**
 * The scorer of the model called `name`, from the trainer's part of a checkpoint, of which it keeps no view.
 * @throws CheckpointError where the state is not of such a model.
 */
export function scorerOf(name: string, spec: LearnerSpec, options: ScorerOptions, trainer: Snapshot): Scorer {
  const facts = options.task === 'regression' ? new TargetScale(options.targetAs) : new KnownClasses();
  facts.restore(below('targets', trainer.arrays));
  const state = below(modelPath(name), trainer.arrays);
  switch (spec.kind) {
    case 'lastValue':
    case 'mean':
    case 'majority':
    case 'linear': {
      const learner = plainLearner(spec, options, facts);
      learner.restore({ json: {}, arrays: state });
      return learner;
    }
    case 'mlp':
      return mlpScorer(spec, options, facts, below('weights', state));
    case 'layers':
      return layersScorer(name, options, facts, below('weights', state));
  }
}

function mlpScorer(
  spec: MlpSpec,
  { featureCount, maxClasses, training }: ScorerOptions,
  facts: TargetScale | KnownClasses,
  weights: Arrays,
): Scorer {
  const head = outputHead(facts, maxClasses, training.loss);
  const layers = layersOf([featureCount, ...spec.hidden, head.outputCount], weights);
  return {
    predict: (rows: Rows) =>
      head.predictions(rows, denseForward(spec.activation, layers, rows.features, rows.rowCount)),
  };
}

function layersScorer(
  name: string,
  { layers, maxClasses, training }: ScorerOptions,
  facts: TargetScale | KnownClasses,
  state: Arrays,
): Scorer {
  assert(layers !== null, `models.${name}: nothing runs its layers`);
  const head = outputHead(facts, maxClasses, training.loss);
  const weights = layers.weightsOf(name, state);
  return {
    predict: async (rows: Rows) => head.predictions(rows, await layers.outputs(name, weights, rows)),
  };
}

function layersOf(widths: readonly number[], weights: Arrays): readonly DenseLayer[] {
  return widths.slice(1).map((outputs, l) => ({
    kernel: Float64Array.from(float32Array(weights, `dense${l}/kernel`, widths[l]! * outputs)),
    bias: Float64Array.from(float32Array(weights, `dense${l}/bias`, outputs)),
  }));
}
