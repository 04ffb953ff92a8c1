import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, messageOf } from '../../errors.ts';
import { useBackend } from '../backends.ts';
import { scoped } from '../scoped.ts';
import { layersNet, type LayersNet } from './layers-net.ts';
import { readModelFile } from './model-file.ts';
import type { ScoringSetup, WeightSize } from './scoring-protocol.ts';
import { withZeroWeights } from './topology.ts';

/**
 * The layers of a model from a file, which predict by whatever weights they are given: however many states of the model there are,
 * this thread holds the tensors of one.
 */
export class ForwardNet {
  readonly weights: readonly WeightSize[];
  readonly #net: LayersNet;
  readonly #outputCount: number;

  private constructor(net: LayersNet, outputCount: number) {
    this.#net = net;
    this.#outputCount = outputCount;
    this.weights = net.weights.map(({ name, variable }) => ({ name, size: variable.size }));
  }

  /**
   * Builds it on the backend of this thread, with weights of 0, and tries it.
   * @throws ConfigError where the file is no model of this pipeline or the backend cannot run it.
   */
  static async build(
    file: string,
    { featureCount, outputCount }: Pick<ScoringSetup, 'featureCount' | 'outputCount'>,
  ): Promise<ForwardNet> {
    const topology = withZeroWeights(readModelFile(file).topology);
    const net = await layersNet({ topology, weights: null }, { file, featureCount, outputCount, seed: 0 });
    const forward = new ForwardNet(net, outputCount);
    try {
      forward.#run(new Float32Array(2 * featureCount), 2);
      return forward;
    } catch (error) {
      forward.dispose();
      const message = `${file}: cannot be served on the ${tf.getBackend()} backend: ${messageOf(error)}`;
      throw new ConfigError('config.incompatible', message, { cause: error });
    }
  }

  /** Sets all weights, in the order of `weights`. */
  set(values: readonly Float32Array[]): void {
    scoped(() => {
      this.#net.weights.forEach(({ variable, shape }, w) => {
        // A copy, since some backends would go on using the array.
        variable.assign(tf.tensor(values[w]!.slice(), [...shape]));
      });
    });
  }

  /** Raw outputs, [rowCount × outputCount]; NaN for a row that the layers cannot take, such as an index beyond an embedding. */
  outputs(features: Float32Array, rowCount: number): Float32Array {
    try {
      return this.#run(features, rowCount);
    } catch {
      const outputs = new Float32Array(rowCount * this.#outputCount).fill(Number.NaN);
      const width = features.length / rowCount;
      for (let row = 0; row < rowCount && rowCount > 1; row += 1) {
        const alone = this.outputs(features.slice(row * width, (row + 1) * width), 1);
        outputs.set(alone, row * this.#outputCount);
      }
      return outputs;
    }
  }

  #run(features: Float32Array, rowCount: number): Float32Array {
    return scoped(() => {
      const rows = tf.tensor(features, [rowCount, ...this.#net.rowShape]);
      return this.#net.outputs(rows, false).dataSync<'float32'>().slice();
    });
  }

  dispose(): void {
    this.#net.dispose();
  }
}

/**
 * The models by name, on the wasm backend: it has the forward ops of all layers, lives in one thread, and is the fastest that does.
 * @throws ConfigError where a file is no model of this pipeline.
 */
export async function forwardNets({ files, ...widths }: ScoringSetup): Promise<ReadonlyMap<string, ForwardNet>> {
  await useBackend('wasm');
  const nets = new Map<string, ForwardNet>();
  for (const [name, file] of Object.entries(files)) nets.set(name, await ForwardNet.build(file, widths));
  return nets;
}
