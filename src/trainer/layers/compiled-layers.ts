import * as tf from '@tensorflow/tfjs-core';
import { CompiledLearner } from '../compiled-learner.ts';
import { compileStep } from '../graph/compile-step.ts';
import type { CompiledStep } from '../graph/compiled-step.ts';
import type { GraphHead } from '../graph-head.ts';
import type { Learner } from '../learner.ts';
import type { OutputHead } from '../output-head.ts';
import { scoped } from '../scoped.ts';
import type { TrainingOptions } from '../trainer.ts';
import { layersGradients } from './layers-gradients.ts';
import type { LayersNet } from './layers-net.ts';
import { graphSpec } from '../update-rules.ts';

/**
 * The model of `EagerLayersLearner` as a compiled graph. The net is left to its owner.
 * @throws NotRecordable where its step cannot be one graph.
 */
export function compiledLayers(
  head: OutputHead,
  graphHead: GraphHead,
  net: LayersNet,
  training: TrainingOptions,
): Learner {
  return new CompiledLearner({
    head,
    graphHead,
    learningRate: training.learningRate,
    weights: net.weights.map(({ name, shape, isTrained }) => ({ name, shape, isTrained })),
    step: scoped(() => compile(graphHead, net, training)),
  });
}

function compile(head: GraphHead, net: LayersNet, training: TrainingOptions): CompiledStep {
  const predict = (features: tf.Tensor): tf.Tensor2D => net.outputs(features, false);
  const variables: Record<string, tf.Variable> = {};
  for (const { name, variable, isTrained } of net.weights) {
    // The variables of a frozen layer do not know that it is.
    variable.trainable = isTrained;
    variables[name] = variable;
  }
  return compileStep({
    inputs: { features: { shape: [null, ...net.rowShape], dtype: 'float32' }, ...head.inputs },
    variables,
    step: ({ features, ...labels }) => {
      // First, since a training pass assigns.
      const before = net.traits.dependsOnTraining ? predict(features!) : null;
      const rowCount = features!.shape[0];
      const pass = layersGradients(net, features!, (raw) => head.slopes(raw, labels, rowCount));
      return {
        loss: withheldWith(pass.loss, net),
        gradients: pass.gradients,
        outputs: { outputs: before ?? pass.outputs },
      };
    },
    functions: {
      predict: { inputs: ['features'], run: ({ features }) => ({ outputs: predict(features!) }) },
    },
    optimizer: graphSpec(training.optimizer),
    clipNorm: training.clipNorm,
    precision: training.precision,
  });
}

/** The loss, or NaN where the pass has assigned a number that is not finite: the step is withheld then. */
function withheldWith(loss: tf.Tensor, { weights }: LayersNet): tf.Tensor {
  const assigned = weights.filter(({ isTrained }) => !isTrained).map(({ variable }) => tf.sum(tf.mul(variable, 0)));
  return assigned.length === 0 ? loss : tf.addN([loss, ...assigned]);
}
