import type { OptimizerSpec } from './graph/optimizers.ts';
import type { FloatArray } from './output-head.ts';

/** An optimizer of the configuration, with all its options. */
export type OptimizerOptions =
  | { readonly kind: 'sgd' | 'adam' | 'adagrad' }
  | { readonly kind: 'momentum'; readonly momentum: number; readonly nesterov: boolean }
  | { readonly kind: 'adamw'; readonly weightDecay: number }
  | { readonly kind: 'rmsprop'; readonly decay: number; readonly momentum: number };

/** One parameter in a step. Nothing but `next…` is written, so that a step can be withheld. */
export interface Staging {
  readonly values: FloatArray;
  readonly gradient: FloatArray;
  /** What the gradient is multiplied by. */
  readonly scale: number;
  readonly learningRate: number;
  /** In the order of the rule. */
  readonly slots: readonly FloatArray[];
  /** Before the step. */
  readonly powers: Float64Array;
  readonly nextValues: FloatArray;
  readonly nextSlots: readonly FloatArray[];
}

/** How weights follow their gradients; the same as the compiled graph's of the same name (`graph/optimizers.ts`). */
export interface UpdateRule {
  /** What is remembered of each number of a parameter, and what it begins as. */
  readonly slots: readonly { readonly name: string; readonly initial: number }[];
  /** Bases of the running powers that are kept; each power begins at 1. */
  readonly powerBases: readonly number[];
  stage(step: Staging): void;
}

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;
const firstAccumulator = 0.1;

export function updateRule(options: OptimizerOptions): UpdateRule {
  switch (options.kind) {
    case 'sgd':
      return sgd;
    case 'momentum':
      return momentum(options.momentum, options.nesterov);
    case 'adam':
      return adam(0);
    case 'adamw':
      return adam(options.weightDecay);
    case 'rmsprop':
      return rmsprop(options.decay, options.momentum);
    case 'adagrad':
      return adagrad;
  }
}

/** The same rule for a compiled step. */
export function graphSpec(options: OptimizerOptions): OptimizerSpec {
  switch (options.kind) {
    case 'sgd':
    case 'momentum':
      return options;
    case 'adam':
    case 'adamw':
      return { ...options, beta1, beta2, epsilon };
    case 'rmsprop':
      return { ...options, epsilon };
    case 'adagrad':
      return { ...options, epsilon, initialAccumulator: firstAccumulator };
  }
}

const sgd: UpdateRule = {
  slots: [],
  powerBases: [],
  stage: ({ values, gradient, scale, learningRate, nextValues }) => {
    const rate = learningRate * scale;
    for (let i = 0; i < values.length; i++) nextValues[i] = values[i]! - rate * gradient[i]!;
  },
};

/** Polyak (1964); with `nesterov` as Sutskever et al. (2013) write it. */
function momentum(share: number, nesterov: boolean): UpdateRule {
  return {
    slots: [{ name: 'momentum', initial: 0 }],
    powerBases: [],
    stage: ({ values, gradient, scale, learningRate, slots, nextValues, nextSlots }) => {
      const [sums, nextSums] = [slots[0]!, nextSlots[0]!];
      for (let i = 0; i < values.length; i++) {
        const slope = gradient[i]! * scale;
        const sum = share * sums[i]! + slope;
        nextSums[i] = sum;
        nextValues[i] = values[i]! - learningRate * (nesterov ? slope + share * sum : sum);
      }
    },
  };
}

/** Kingma & Ba (2015), algorithm 1, with the paper's constants; decay of the weights as in Loshchilov & Hutter (2019). */
function adam(weightDecay: number): UpdateRule {
  return {
    slots: [
      { name: 'first', initial: 0 },
      { name: 'second', initial: 0 },
    ],
    powerBases: [beta1, beta2],
    stage: ({ values, gradient, scale, learningRate, slots, powers, nextValues, nextSlots }) => {
      const [firsts, seconds] = [slots[0]!, slots[1]!];
      const [nextFirsts, nextSeconds] = [nextSlots[0]!, nextSlots[1]!];
      const rate = learningRate / (1 - powers[0]! * beta1);
      const unbias2 = 1 / (1 - powers[1]! * beta2);
      const kept = 1 - learningRate * weightDecay;
      for (let i = 0; i < values.length; i++) {
        const slope = gradient[i]! * scale;
        const first = beta1 * firsts[i]! + (1 - beta1) * slope;
        const second = beta2 * seconds[i]! + (1 - beta2) * slope * slope;
        nextFirsts[i] = first;
        nextSeconds[i] = second;
        nextValues[i] = kept * values[i]! - (rate * first) / (Math.sqrt(second * unbias2) + epsilon);
      }
    },
  };
}

/** Tieleman & Hinton (2012), as TensorFlow has it: epsilon under the root, momentum on the step. */
function rmsprop(decay: number, share: number): UpdateRule {
  return {
    slots: [
      { name: 'meanSquare', initial: 0 },
      { name: 'moment', initial: 0 },
    ],
    powerBases: [],
    stage: ({ values, gradient, scale, learningRate, slots, nextValues, nextSlots }) => {
      const [squares, moments] = [slots[0]!, slots[1]!];
      const [nextSquares, nextMoments] = [nextSlots[0]!, nextSlots[1]!];
      for (let i = 0; i < values.length; i++) {
        const slope = gradient[i]! * scale;
        const square = decay * squares[i]! + (1 - decay) * slope * slope;
        const moment = share * moments[i]! + (learningRate * slope) / Math.sqrt(square + epsilon);
        nextSquares[i] = square;
        nextMoments[i] = moment;
        nextValues[i] = values[i]! - moment;
      }
    },
  };
}

/** Duchi, Hazan & Singer (2011). */
const adagrad: UpdateRule = {
  slots: [{ name: 'accumulator', initial: firstAccumulator }],
  powerBases: [],
  stage: ({ values, gradient, scale, learningRate, slots, nextValues, nextSlots }) => {
    const [sums, nextSums] = [slots[0]!, nextSlots[0]!];
    for (let i = 0; i < values.length; i++) {
      const slope = gradient[i]! * scale;
      const sum = sums[i]! + slope * slope;
      nextSums[i] = sum;
      nextValues[i] = values[i]! - (learningRate * slope) / (Math.sqrt(sum) + epsilon);
    }
  },
};
