import { uniformNumbers } from '../random.ts';

/**
 * Runs `work`, which must be synchronous, with the numbers of a seed in place of `Math.random`. TensorFlow.js seeds every initializer,
 * dropout mask and noise that has no seed of its own by it, on any backend.
 */
export function withSeededRandom<T>(seed: number, work: () => T): T {
  const { random } = Math;
  Math.random = uniformNumbers(seed);
  try {
    return work();
  } finally {
    Math.random = random;
  }
}
