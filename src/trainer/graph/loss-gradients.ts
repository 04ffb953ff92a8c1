import * as tf from '@tensorflow/tfjs-core';

/**
 * The loss and its gradients by the names of the variables, from TensorFlow.js's tape: what `StepSpec.step` returns for a model that
 * brings no backward pass of its own. Gradients must be registered: import `@tensorflow/tfjs-layers`, or
 * `@tensorflow/tfjs-core/dist/register_all_gradients`.
 */
export function lossGradients(
  variables: Readonly<Record<string, tf.Variable>>,
  loss: () => tf.Scalar,
): { readonly loss: tf.Scalar; readonly gradients: Readonly<Record<string, tf.Tensor>> } {
  const trained = Object.entries(variables).filter(([, variable]) => variable.trainable);
  const { value, grads } = tf.variableGrads(
    loss,
    trained.map(([, variable]) => variable),
  );
  const gradients = trained.map(([name, variable]) => [name, grads[variable.name]] as const);
  return {
    loss: value,
    // A variable that the loss does not depend on has none and stays as it is.
    gradients: Object.fromEntries(gradients.filter(([, gradient]) => gradient)) as Record<string, tf.Tensor>,
  };
}
