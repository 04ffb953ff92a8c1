import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

// The package is CommonJS with named exports that Node cannot see.
const { layers, sequential, initializers } = createRequire(import.meta.url)('@tensorflow/tfjs-layers') as typeof Layers;

/** A small net with what it takes: rows of that shape, of floats or of indexes below `indexes`. */
export interface SmallModel {
  readonly model: Layers.Sequential;
  readonly shape: readonly number[];
  readonly indexes: number | null;
}

let seed = 1;
const uniform = () => initializers.glorotUniform({ seed: seed++ });
const dense = (units: number, inputShape?: number[]) =>
  layers.dense({ units, ...(inputShape && { inputShape }), kernelInitializer: uniform() });

// A bias before batch norm has no slope but rounding, of which Adam makes steps.
const withoutBias = () => layers.dense({ units: 8, inputShape: [8], useBias: false, kernelInitializer: uniform() });

function net(
  inner: readonly Layers.layers.Layer[],
  shape: readonly number[],
  indexes: number | null = null,
): SmallModel {
  return { model: sequential({ layers: [...inner, dense(1)] }), shape, indexes };
}

type Factory = () => SmallModel;

/** One net for each kind of layer, made anew with the same weights at each call. */
export const smallModels: Readonly<Record<string, Factory>> = Object.fromEntries(
  Object.entries({
    'dense, relu': () =>
      net([layers.dense({ units: 16, activation: 'relu', inputShape: [8], kernelInitializer: uniform() })], [8]),
    'dense, tanh, sigmoid': () =>
      net(
        [
          layers.dense({ units: 16, activation: 'tanh', inputShape: [8], kernelInitializer: uniform() }),
          layers.dense({ units: 8, activation: 'sigmoid', kernelInitializer: uniform() }),
        ],
        [8],
      ),
    'conv1d, max pooling': () =>
      net(
        [
          layers.conv1d({
            filters: 8,
            kernelSize: 3,
            activation: 'relu',
            inputShape: [12, 4],
            kernelInitializer: uniform(),
          }),
          layers.maxPooling1d({ poolSize: 2 }),
          layers.flatten(),
        ],
        [12, 4],
      ),
    'conv2d, max and average pooling': () =>
      net(
        [
          layers.conv2d({
            filters: 6,
            kernelSize: 3,
            activation: 'relu',
            inputShape: [12, 12, 3],
            kernelInitializer: uniform(),
          }),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.conv2d({ filters: 8, kernelSize: 2, padding: 'same', kernelInitializer: uniform() }),
          layers.averagePooling2d({ poolSize: 2 }),
          layers.flatten(),
        ],
        [12, 12, 3],
      ),
    'global pooling': () =>
      net(
        [
          layers.conv1d({ filters: 8, kernelSize: 3, inputShape: [12, 4], kernelInitializer: uniform() }),
          layers.globalAveragePooling1d(),
        ],
        [12, 4],
      ),
    gru: () =>
      net(
        [layers.gru({ units: 8, inputShape: [3, 4], kernelInitializer: uniform(), recurrentInitializer: uniform() })],
        [3, 4],
      ),
    lstm: () =>
      net(
        [layers.lstm({ units: 8, inputShape: [3, 4], kernelInitializer: uniform(), recurrentInitializer: uniform() })],
        [3, 4],
      ),
    embedding: () =>
      net(
        [
          layers.embedding({ inputDim: 20, outputDim: 5, inputLength: 4, embeddingsInitializer: uniform() }),
          layers.flatten(),
        ],
        [4],
        20,
      ),
    'batch norm': () => net([withoutBias(), layers.batchNormalization()], [8]),
    'layer norm': () => net([dense(8, [8]), layers.layerNormalization()], [8]),
  } satisfies Record<string, Factory>).map(([name, make]) => [
    name,
    () => {
      seed = 1;
      return make();
    },
  ]),
);

/** The weights by names that stay the same from one instance to the next. */
export function namedVariables(model: Layers.Sequential): Readonly<Record<string, tf.Variable>> {
  const registered = Object.values(tf.engine().registeredVariables);
  const variables = model.weights.map((weight) => registered.find(({ dataId }) => dataId === weight.read().dataId)!);
  return Object.fromEntries(variables.map((variable, i) => [`weight${i}`, variable]));
}

export type Losses = Readonly<Record<string, (labels: tf.Tensor, outputs: tf.Tensor) => tf.Scalar>>;

/** The losses, as scalars of labels and outputs [rowCount, 1]. */
export const losses: Losses = {
  mse: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
  mae: (labels, outputs) => tf.losses.absoluteDifference(labels, outputs),
  huber: (labels, outputs) => tf.losses.huberLoss(labels, outputs),
  'sigmoid cross-entropy': (labels, outputs) =>
    tf.losses.sigmoidCrossEntropy(tf.cast(tf.greater(labels, 0), 'float32'), outputs),
  'softmax cross-entropy': (labels, outputs) => {
    // Two classes: the output and its opposite.
    const isFirst = tf.cast(tf.greater(labels, 0), 'float32');
    return tf.losses.softmaxCrossEntropy(
      tf.concat([isFirst, tf.sub(1, isFirst)], 1),
      tf.concat([outputs, tf.neg(outputs)], 1),
    );
  },
};
