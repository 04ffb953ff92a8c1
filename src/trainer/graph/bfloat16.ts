import { dataTypes } from './addon.ts';
import { type Attribute, attributes, GraphWriter } from './graph-writer.ts';

/** In which numbers products are computed. */
export type Precision = 'float32' | 'bfloat16';

/** The ops that multiply, with the inputs that are their factors. */
const factors: Readonly<Record<string, readonly number[]>> = {
  MatMul: [0, 1],
  BatchMatMulV2: [0, 1],
  Conv2D: [0, 1],
  Conv2DBackpropInput: [1, 2],
  Conv2DBackpropFilter: [0, 2],
  DepthwiseConv2dNative: [0, 1],
  DepthwiseConv2dNativeBackpropInput: [1, 2],
  DepthwiseConv2dNativeBackpropFilter: [0, 2],
};

/**
 * Writes products in bfloat16: their float32 factors are rounded to its 8 bits of precision, each once, and the result comes back as
 * float32. Everything else of a step, sums and weights above all, stays float32.
 */
export class Bfloat16GraphWriter extends GraphWriter {
  readonly #rounded = new Map<string, string>();

  override node(op: string, inputs: readonly string[], attrs: Readonly<Record<string, Attribute>> = {}): string {
    const which = factors[op];
    if (which === undefined || !isFloat32(attrs['T'])) return super.node(op, inputs, attrs);
    const rounded = inputs.map((input, i) => (which.includes(i) ? this.#round(input) : input));
    const product = super.node(op, rounded, { ...attrs, T: attributes.type(dataTypes.bfloat16) });
    return this.cast(product, dataTypes.bfloat16, dataTypes.float32);
  }

  #round(input: string): string {
    const known = this.#rounded.get(input);
    if (known !== undefined) return known;
    const rounded = this.cast(input, dataTypes.float32, dataTypes.bfloat16);
    this.#rounded.set(input, rounded);
    return rounded;
  }
}

function isFloat32(type: Attribute | undefined): boolean {
  return (type as { getType?: () => number } | undefined)?.getType?.() === dataTypes.float32;
}
