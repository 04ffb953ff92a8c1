import { dataTypes } from './addon.ts';
import { attributes, type GraphWriter } from './graph-writer.ts';

/** How weights follow their gradients. All but AdamW are those of TensorFlow.js, which gives the defaults. */
export type OptimizerSpec =
  | { readonly kind: 'sgd' }
  | { readonly kind: 'momentum'; readonly momentum: number; readonly nesterov?: boolean }
  | { readonly kind: 'adam'; readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number }
  | {
      readonly kind: 'adamw';
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      /** Each step first takes `learningRate · weightDecay` of every weight off it (Loshchilov & Hutter 2019). */
      readonly weightDecay: number;
    }
  | {
      readonly kind: 'rmsprop';
      readonly decay?: number;
      readonly momentum?: number;
      readonly epsilon?: number;
      readonly centered?: boolean;
    }
  | { readonly kind: 'adagrad'; readonly initialAccumulator?: number; readonly epsilon?: number };

/** What an optimizer remembers of each weight. */
export interface SlotSpec {
  readonly name: string;
  /** What every number of it begins as. */
  readonly initial: number;
}

/** The nodes of one variable that an update is made of. */
export interface UpdateNodes {
  readonly variable: string;
  /** The variable's value before the step. */
  readonly value: string;
  readonly gradient: string;
  readonly slots: readonly string[];
  /** As `scalars` gives them, in that order; they have no value where the step is withheld, and then the update does not run. */
  readonly scalars: readonly string[];
}

/** An optimizer as nodes of a graph. */
export interface GraphOptimizer {
  readonly slots: readonly SlotSpec[];
  /** How many running powers it keeps; each begins at 1. */
  readonly powerCount: number;
  readonly scalarCount: number;
  /** What is fed to a step, from the learning rate and the powers before it; Float64 until it is fed. */
  scalars(learningRate: number, powers: Float64Array): readonly number[];
  /** The powers after a step. */
  nextPowers(powers: Float64Array): Float64Array;
  /** Writes the update of a variable and returns the node that runs it. */
  update(graph: GraphWriter, nodes: UpdateNodes): string;
}

const T = { T: attributes.type(dataTypes.float32) };
/** What TensorFlow.js adds to divisors. */
const defaultEpsilon = 1e-7;

/** The optimizer of a spec, with TensorFlow's fused ops. */
export function graphOptimizer(spec: OptimizerSpec): GraphOptimizer {
  switch (spec.kind) {
    case 'sgd':
      return withoutPowers([], (graph, { variable, gradient, scalars: [rate] }) =>
        graph.node('ResourceApplyGradientDescent', [variable, rate!, gradient], T),
      );
    case 'momentum':
      return withoutPowers(
        [{ name: 'momentum', initial: 0 }],
        (graph, { variable, gradient, slots, scalars: [rate] }) =>
          graph.node('ResourceApplyMomentum', [variable, slots[0]!, rate!, gradient, graph.float(spec.momentum)], {
            ...T,
            use_nesterov: attributes.bool(spec.nesterov ?? false),
          }),
      );
    case 'adam':
    case 'adamw':
      return adam(spec);
    case 'rmsprop':
      return rmsprop(spec);
    case 'adagrad':
      return withoutPowers(
        [{ name: 'accumulator', initial: spec.initialAccumulator ?? 0.1 }],
        (graph, { variable, gradient, slots, scalars: [rate] }) =>
          graph.node(
            'ResourceApplyAdagradV2',
            [variable, slots[0]!, rate!, graph.float(spec.epsilon ?? defaultEpsilon), gradient],
            T,
          ),
      );
  }
}

function withoutPowers(slots: readonly SlotSpec[], update: GraphOptimizer['update']): GraphOptimizer {
  const scalars = (learningRate: number): readonly number[] => [learningRate];
  return { slots, powerCount: 0, scalarCount: 1, scalars, nextPowers: (powers) => powers, update };
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1). TensorFlow's op corrects the rate for the bias of both moments but not its epsilon; fed
 * `ε · √(1 − β2ᵗ)` it is the algorithm itself.
 */
function adam(spec: Extract<OptimizerSpec, { kind: 'adam' | 'adamw' }>): GraphOptimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = defaultEpsilon } = spec;
  const weightDecay = spec.kind === 'adamw' ? spec.weightDecay : 0;
  return {
    slots: [
      { name: 'first', initial: 0 },
      { name: 'second', initial: 0 },
    ],
    powerCount: 2,
    scalarCount: weightDecay === 0 ? 4 : 5,
    scalars: (learningRate, powers) => {
      const [power1, power2] = [powers[0]! * beta1, powers[1]! * beta2];
      const scalars = [learningRate, power1, power2, epsilon * Math.sqrt(1 - power2)];
      return weightDecay === 0 ? scalars : [...scalars, learningRate * weightDecay];
    },
    nextPowers: (powers) => Float64Array.of(powers[0]! * beta1, powers[1]! * beta2),
    update: (graph, { variable, value, gradient, slots, scalars }) => {
      const [rate, power1, power2, bias, decay] = scalars;
      const after = [];
      if (decay !== undefined) {
        const taken = graph.node('Mul', [value, decay], T);
        after.push(`^${graph.node('AssignSubVariableOp', [variable, taken], { dtype: T.T })}`);
      }
      const inputs = [
        variable,
        ...slots,
        power1!,
        power2!,
        rate!,
        graph.float(beta1),
        graph.float(beta2),
        bias!,
        gradient,
      ];
      return graph.node('ResourceApplyAdam', [...inputs, ...after], T);
    },
  };
}

function rmsprop(spec: Extract<OptimizerSpec, { kind: 'rmsprop' }>): GraphOptimizer {
  const { decay = 0.9, momentum = 0, epsilon = defaultEpsilon, centered = false } = spec;
  const names = centered ? ['meanGradient', 'meanSquare', 'moment'] : ['meanSquare', 'moment'];
  return withoutPowers(
    names.map((name) => ({ name, initial: 0 })),
    (graph, { variable, gradient, slots, scalars: [rate] }) =>
      graph.node(
        centered ? 'ResourceApplyCenteredRMSProp' : 'ResourceApplyRMSProp',
        [variable, ...slots, rate!, graph.float(decay), graph.float(momentum), graph.float(epsilon), gradient],
        T,
      ),
  );
}
