import * as tf from '@tensorflow/tfjs-core';
import { lossGradients } from '../graph/loss-gradients.ts';
import type { LayersNet } from './layers-net.ts';

/** What a head makes of raw outputs. */
export interface HeadSlopes {
  /** A scalar. */
  readonly loss: tf.Tensor;
  /** d loss / d output, [rowCount, outputCount]. */
  readonly slopes: tf.Tensor;
}

/** What a training pass comes to. */
export interface PassResult {
  /** A scalar, penalties of the layers included. */
  readonly loss: tf.Tensor;
  /** By the names of the weights. */
  readonly gradients: Readonly<Record<string, tf.Tensor>>;
  /** Raw, [rowCount, outputCount]. */
  readonly outputs: tf.Tensor2D;
}

/**
 * A training pass and its gradients, from the head's own slopes on by TensorFlow.js's tape. Assigns the moving averages of batch
 * norm.
 */
export function layersGradients(
  net: LayersNet,
  features: tf.Tensor,
  head: (outputs: tf.Tensor2D) => HeadSlopes,
): PassResult {
  const lossOf = tf.customGrad((outputs, save) => {
    const { loss, slopes } = head(outputs as tf.Tensor2D);
    (save as tf.GradSaveFunc)([slopes]);
    return { value: loss, gradFunc: (_, [saved]) => saved! };
  });
  const trained = net.weights.filter(({ isTrained }) => isTrained);
  const variables = Object.fromEntries(trained.map(({ name, variable }) => [name, variable]));
  const kept: tf.Tensor2D[] = [];
  const { loss, gradients } = lossGradients(variables, () => {
    const outputs = tf.keep(net.outputs(features, true));
    kept.push(outputs);
    const penalty = net.penalty();
    const ofHead = lossOf(outputs);
    return (penalty === null ? ofHead : tf.add(ofHead, penalty)) as tf.Scalar;
  });
  // From here on it goes with the scope of the caller, as the others do.
  const outputs = kept[0]!.clone();
  tf.dispose(kept);
  return { loss, gradients, outputs };
}
