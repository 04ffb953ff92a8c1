import type { MlpSpec } from './dense-net.ts';

/** Parameters of a layer: `kernel` [inputCount × outputCount] row-major, `bias` [outputCount]. */
export interface DenseLayer {
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
}

/**
 * Raw outputs of a fully connected net, [rowCount × outputCount], in plain JavaScript and Float64: for a few rows faster than any
 * engine, and within the rounding of its Float32.
 */
export function denseForward(
  activation: MlpSpec['activation'],
  layers: readonly DenseLayer[],
  features: Float32Array,
  rowCount: number,
): Float64Array {
  return layers.reduce<Float64Array>((signal, layer, index) => {
    const outputs = affine(layer, signal, rowCount);
    if (index < layers.length - 1) activate(activation, outputs);
    return outputs;
  }, Float64Array.from(features));
}

function affine({ kernel, bias }: DenseLayer, signal: Float64Array, rowCount: number): Float64Array {
  const outputCount = bias.length;
  const inputCount = kernel.length / outputCount;
  const outputs = new Float64Array(rowCount * outputCount);
  // Inputs of a row that are not 0: behind a relu about half of them, found once instead of by a branch in each sum.
  const live = new Int32Array(inputCount);
  for (let row = 0; row < rowCount; row += 1) {
    const first = row * inputCount;
    const out = row * outputCount;
    let liveCount = 0;
    for (let input = 0; input < inputCount; input += 1) if (signal[first + input] !== 0) live[liveCount++] = input;
    let output = 0;
    // Four sums at a time stay in registers.
    for (; output + 4 <= outputCount; output += 4) {
      let [a, b, c, d] = [bias[output]!, bias[output + 1]!, bias[output + 2]!, bias[output + 3]!];
      for (let index = 0; index < liveCount; index += 1) {
        const input = live[index]!;
        const value = signal[first + input]!;
        const at = input * outputCount + output;
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
      for (let index = 0; index < liveCount; index += 1) {
        const input = live[index]!;
        sum += signal[first + input]! * kernel[input * outputCount + output]!;
      }
      outputs[out + output] = sum;
    }
  }
  return outputs;
}

function activate(activation: MlpSpec['activation'], values: Float64Array): void {
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
