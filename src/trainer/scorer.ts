import type { Snapshot } from '../records.ts';
import { denseForward, type DenseLayer } from './dense-forward.ts';
import type { MlpSpec } from './dense-net.ts';
import { KnownClasses } from './known-classes.ts';
import type { Learner, Rows } from './learner.ts';
import { modelPath } from './model-path.ts';
import { outputHead } from './output-head.ts';
import { plainLearner, type PlainOptions } from './plain-learner.ts';
import { below, float32Array, type Arrays } from './snapshot-parts.ts';
import { TargetScale } from './target-scale.ts';
import type { LearnerSpec, TrainerOptions } from './trainer.ts';

/** Predicts as the learner whose state it was made from would, in this thread, without an engine; it learns nothing. */
export type Scorer = Pick<Learner, 'predict'>;

export type ScorerOptions = PlainOptions & Pick<TrainerOptions, 'targetAs'>;

/**
 * The scorer of the model called `name`, from the trainer's part of a checkpoint, of which it keeps no view. Null where only its
 * engine can run such a model.
 * @throws CheckpointError where the state is not of such a model.
 */
export function scorerOf(name: string, spec: LearnerSpec, options: ScorerOptions, trainer: Snapshot): Scorer | null {
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
    default:
      return null;
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

function layersOf(widths: readonly number[], weights: Arrays): readonly DenseLayer[] {
  return widths.slice(1).map((outputs, l) => ({
    kernel: float32Array(weights, `dense${l}/kernel`, widths[l]! * outputs).slice(),
    bias: float32Array(weights, `dense${l}/bias`, outputs).slice(),
  }));
}
