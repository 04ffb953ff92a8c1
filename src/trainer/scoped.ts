import * as tf from '@tensorflow/tfjs-core';

/** Runs `work` and disposes of every tensor that it made. */
export function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}
