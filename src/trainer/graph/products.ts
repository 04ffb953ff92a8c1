import { type Attribute, attributes, type GraphWriter } from './graph-writer.ts';
import type { RecordedOp } from './recording.ts';
import type { Constant } from './row-counts.ts';

/** A value in the graph. Its shape is that of the first recording: a dimension of rows is any number. */
export interface GraphValue {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * Writes products of matrices as TensorFlow computes them best: a transposed operand is read in its other order, not copied,
 * and a bias is added by the op that TensorFlow fuses with the product and the activation behind it. Each gives the same numbers.
 */
export class Products {
  readonly #graph: GraphWriter;
  /** Constants that say: swap the two dimensions. */
  readonly #swaps: ReadonlySet<number>;
  /** What transposed matrices are transposed from, by value number. */
  readonly #transposed = new Map<number, GraphValue>();
  /** Value numbers of products. */
  readonly #products = new Set<number>();

  constructor(graph: GraphWriter, constants: readonly Constant[]) {
    this.#graph = graph;
    this.#swaps = new Set(constants.filter(isSwap).map(({ value }) => value));
  }

  /** The node of an op that is or belongs to a product, null for any other, to be written as it is. */
  emit(op: RecordedOp, inputs: readonly GraphValue[], attrs: Readonly<Record<string, Attribute>>): string | null {
    const { name, outputs } = op;
    if (name === 'Transpose' && this.#swaps.has(op.inputs[1]!)) this.#transposed.set(outputs[0]!.value, inputs[0]!);
    if (name === 'BatchMatMulV2' && inputs.every(({ shape }) => shape.length === 2)) {
      this.#products.add(outputs[0]!.value);
      return this.#product(op, inputs, attrs);
    }
    const isBiased = name === 'Add' && this.#products.has(op.inputs[0]!) && isBias(inputs[1]!, inputs[0]!);
    return isBiased ? this.#graph.node('BiasAdd', [inputs[0]!.name, inputs[1]!.name], attrs) : null;
  }

  #product(op: RecordedOp, inputs: readonly GraphValue[], attrs: Readonly<Record<string, Attribute>>): string {
    const [a, b] = ['adj_x', 'adj_y'].map((flag, i) => {
      const isTransposed = op.attributes.find(({ name }) => name === flag)?.value === true;
      const before = this.#transposed.get(op.inputs[i]!);
      return { name: (before ?? inputs[i]!).name, isTransposed: isTransposed !== (before !== undefined) };
    });
    return this.#graph.node('MatMul', [a!.name, b!.name], {
      T: attrs['T']!,
      transpose_a: attributes.bool(a!.isTransposed),
      transpose_b: attributes.bool(b!.isTransposed),
    });
  }
}

function isSwap(constant: Constant): boolean {
  return constant.kind === 'fixed' && constant.content.join() === '1,0';
}

/** Whether one is a number for each column of the other, and so no broadcast of another kind. */
function isBias({ shape }: GraphValue, product: GraphValue): boolean {
  return shape.length === 1 && shape[0] === product.shape[1];
}
