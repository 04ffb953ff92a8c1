import * as tf from '@tensorflow/tfjs-core';
import { CompiledLearner } from './compiled-learner.ts';
import { backward, denseParameters, type DenseParameter, forward } from './dense-net.ts';
import { compileStep } from './graph/compile-step.ts';
import type { CompiledStep } from './graph/compiled-step.ts';
import { graphBackprop } from './graph-backprop.ts';
import type { GraphHead } from './graph-head.ts';
import type { Learner } from './learner.ts';
import type { MlpOptions } from './mlp.ts';
import type { OutputHead } from './output-head.ts';
import { graphSpec } from './update-rules.ts';

/** The net of `MlpLearner` as a compiled graph. */
export function compiledMlp(head: OutputHead, graphHead: GraphHead, options: MlpOptions): Learner {
  const parameters = denseParameters(options.spec, options.featureCount, head.outputCount, options.seed);
  return new CompiledLearner({
    head,
    graphHead,
    learningRate: options.training.learningRate,
    weights: parameters.map(({ name, shape }) => ({ name, shape, isTrained: true })),
    step: compile(graphHead, parameters, options),
  });
}

function compile(head: GraphHead, parameters: readonly DenseParameter[], options: MlpOptions): CompiledStep {
  const { spec, training, featureCount } = options;
  const variables = tf.tidy(() => parameters.map(({ values, shape }) => tf.variable(tf.tensor(values, [...shape]))));
  const pass = (features: tf.Tensor) => forward(spec.activation, features as tf.Tensor2D, variables);
  try {
    return compileStep({
      inputs: { features: { shape: [null, featureCount], dtype: 'float32' }, ...head.inputs },
      variables: Object.fromEntries(parameters.map(({ name }, p) => [name, variables[p]!])),
      step: ({ features, ...labels }) => {
        const passed = pass(features!);
        const { loss, slopes, bias } = head.slopes(passed.outputs, labels, features!.shape[0]);
        const gradients = [...backward(spec.activation, passed, slopes, graphBackprop), bias];
        return {
          loss,
          gradients: Object.fromEntries(parameters.map(({ name }, p) => [name, gradients[p]!])),
          outputs: { outputs: passed.outputs },
        };
      },
      functions: {
        predict: { inputs: ['features'], run: ({ features }) => ({ outputs: pass(features!).outputs }) },
      },
      optimizer: graphSpec(training.optimizer),
      clipNorm: training.clipNorm,
      precision: training.precision,
    });
  } finally {
    // The session has its own.
    tf.dispose(variables);
  }
}
