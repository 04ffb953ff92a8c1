import * as tf from '@tensorflow/tfjs-core';

type GradientFunction = tf.GradConfig['gradFunc'];

/**
 * Runs `work` with two functions of TensorFlow.js in a form that does the same for every number of rows.
 *
 * Its gather reads the indexes to check them, which a graph's gather does itself: `whileReading` surrounds it. Its gradient of tile
 * adds up slices one by one, as many as there are rows: a sum over them takes its place.
 */
export function withRecordableKernels<T>(whileReading: (read: () => unknown) => unknown, work: () => T): T {
  const gather = tf.getKernel('GatherV2', 'tensorflow') as { kernelFunc: tf.KernelFunc } | undefined;
  const tile = tf.getGradient('Tile') as { gradFunc: GradientFunction } | undefined;
  const restores: (() => void)[] = [];
  if (gather !== undefined) {
    const { kernelFunc } = gather;
    gather.kernelFunc = (params) => whileReading(() => kernelFunc(params)) as ReturnType<tf.KernelFunc>;
    restores.push(() => (gather.kernelFunc = kernelFunc));
  }
  if (tile !== undefined) {
    const { gradFunc } = tile;
    tile.gradFunc = gradientOfTile;
    restores.push(() => (tile.gradFunc = gradFunc));
  }
  try {
    return work();
  } finally {
    for (const restore of restores) restore();
  }
}

const gradientOfTile: GradientFunction = (dy, [x], attributes) => {
  const { reps } = attributes as unknown as { readonly reps: readonly number[] };
  const { shape } = x!;
  return {
    x: () => {
      const split = shape.flatMap((size, axis) => [reps[axis]!, size]);
      const axes = shape.map((_, axis) => 2 * axis);
      return tf.sum(tf.reshape(dy as tf.Tensor, split), axes);
    },
  };
};
