import type { MlpSpec } from './dense-net.ts';

/** Float32 parameters of a layer: `kernel` [inputCount × outputCount] row-major, `bias` [outputCount]. */
export interface DenseLayer {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/**
 * Raw outputs of a fully connected net, [rowCount × outputCount], in plain JavaScript: for a few rows faster than any engine,
 * and within its rounding. Sums are of Float64, what goes from layer to layer is Float32.
 */
export function denseForward(
  activation: MlpSpec['activation'],
  layers: readonly DenseLayer[],
  features: Float32Array,
  rowCount: number,
): Float32Array {
  return layers.reduce((signal, layer, index) => {
    const outputs = affine(layer, signal, rowCount);
    if (index < layers.length - 1) activate(activation, outputs);
    return outputs;
  }, features);
}

function affine({ kernel, bias }: DenseLayer, signal: Float32Array, rowCount: number): Float32Array {
  const outputCount = bias.length;
  const inputCount = kernel.length / outputCount;
  const outputs = new Float32Array(rowCount * outputCount);
  for (let row = 0; row < rowCount; row += 1) {
    const first = row * inputCount;
    const out = row * outputCount;
    let output = 0;
    // Four sums at a time stay in registers.
    for (; output + 4 <= outputCount; output += 4) {
      let [a, b, c, d] = [bias[output]!, bias[output + 1]!, bias[output + 2]!, bias[output + 3]!];
      for (let input = 0, at = output; input < inputCount; input += 1, at += outputCount) {
        const value = signal[first + input]!;
        // Behind a relu about half of them.
        if (value === 0) continue;
        a += value * kernel[at]!;
        b += value * kernel[at + 1]!;
        c += value * kernel[at + 2]!;
        d += value * kernel[at + 3]!;
      }
      outputs[out + output] = a;
      outputs[out + output + 1] = b;
      outputs[out + output + 2] = c;
      outputs[out + output + 3] = d;
    }
    for (; output < outputCount; output += 1) {
      let sum = bias[output]!;
      for (let input = 0, at = output; input < inputCount; input += 1, at += outputCount)
        sum += signal[first + input]! * kernel[at]!;
      outputs[out + output] = sum;
    }
  }
  return outputs;
}

function activate(activation: MlpSpec['activation'], values: Float32Array): void {
  for (let at = 0; at < values.length; at += 1) values[at] = activated(activation, values[at]!);
}

function activated(activation: MlpSpec['activation'], value: number): number {
  switch (activation) {
    case 'relu':
      // NaN stays NaN.
      return value < 0 ? 0 : value;
    case 'tanh':
      return Math.tanh(value);
    case 'sigmoid':
      return 1 / (1 + Math.exp(-value));
  }
}
