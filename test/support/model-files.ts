import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** A layer as a `model.json` has it: its class and its options. */
export type LayerJson = readonly [className: string, config: Readonly<Record<string, unknown>>];

/** A row of three features through each kind of layer, and one output. */
export const netsOfThree: Readonly<Record<string, readonly LayerJson[]>> = {
  dense: [
    ['Dense', { units: 16, activation: 'relu', batch_input_shape: [null, 3] }],
    ['Dense', { units: 1 }],
  ],
  'batch norm': [
    ['Dense', { units: 8, use_bias: false, batch_input_shape: [null, 3] }],
    ['BatchNormalization', {}],
    ['Dense', { units: 1 }],
  ],
  conv1d: [
    ['Conv1D', { filters: 6, kernel_size: [2], activation: 'relu', batch_input_shape: [null, 3, 1] }],
    ['Flatten', {}],
    ['Dense', { units: 1 }],
  ],
  gru: [
    ['GRU', { units: 6, batch_input_shape: [null, 3, 1] }],
    ['Dense', { units: 1 }],
  ],
  masking: [
    ['Masking', { mask_value: 0, batch_input_shape: [null, 3, 1] }],
    ['SimpleRNN', { units: 6 }],
    ['Dense', { units: 1 }],
  ],
  dropout: [
    ['Dense', { units: 16, activation: 'relu', batch_input_shape: [null, 3] }],
    // TensorFlow.js would draw the same mask from it at each step.
    ['Dropout', { rate: 0.25, seed: 5 }],
    ['Dense', { units: 1 }],
  ],
};

/** Writes the `model.json` of a sequential model into the folder and returns its path; `over` is put beside the topology. */
export function modelFile(
  dir: string,
  layers: readonly LayerJson[],
  over: Readonly<Record<string, unknown>> = {},
): string {
  const named = layers.map(([className, config], i) => ({
    class_name: className,
    config: { name: `${className.toLowerCase()}_${i}`, ...config },
  }));
  const modelTopology = { class_name: 'Sequential', config: { name: 'net', layers: named } };
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'model.json');
  writeFileSync(file, JSON.stringify({ modelTopology, ...over }));
  return file;
}

/** Saves a model with its weights into the folder as `model.save` does and returns the path of its `model.json`. */
export async function savedModel(model: LayersModel, dir: string): Promise<string> {
  const file = join(dir, 'model.json');
  const save = ({ modelTopology, weightSpecs, weightData }: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
    const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
    writeFileSync(file, JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }));
    writeFileSync(join(dir, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer));
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
  };
  await model.save({ save });
  return file;
}
