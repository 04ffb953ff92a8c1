import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/trainer/backends.ts';
import { type Addon, dataTypes, type NodeBackend } from '../../../src/trainer/graph/addon.ts';
import type { Precision } from '../../../src/trainer/graph/bfloat16.ts';
import { compileStep } from '../../../src/trainer/graph/compile-step.ts';
import type { CompiledStep } from '../../../src/trainer/graph/compiled-step.ts';
import { lossGradients } from '../../../src/trainer/graph/loss-gradients.ts';
import { tfjsLayers } from '../../../src/trainer/layers/tfjs-layers.ts';
import { missingNative } from '../../../src/trainer/native-build.ts';

interface NodeDef {
  getOp(): string;
  getAttrMap(): { get(name: string): { getType(): number } | undefined };
}
interface SavedModel {
  getMetaGraphsList(): readonly { getGraphDef(): { getNodeList(): readonly NodeDef[] } }[];
}

/** Op and type of every node of the graph that `work` gives to TensorFlow. */
function graphOf(work: () => void): readonly (readonly [op: string, type: number | undefined])[] {
  const { SavedModel } = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as {
    readonly SavedModel: { deserializeBinary(bytes: Uint8Array): SavedModel };
  };
  const backend = tf.backend() as unknown as NodeBackend;
  const addon = backend.binding;
  let nodes: readonly NodeDef[] = [];
  const loadSavedModel: Addon['loadSavedModel'] = (folder, tags) => {
    const model = SavedModel.deserializeBinary(readFileSync(join(folder, 'saved_model.pb')));
    nodes = model.getMetaGraphsList()[0]!.getGraphDef().getNodeList();
    return addon.loadSavedModel(folder, tags);
  };
  // The addon's own properties are read-only and not enumerable.
  const own = Object.getOwnPropertyNames(addon).map((name) => [name, Reflect.get(addon, name) as unknown]);
  backend.binding = { ...(Object.fromEntries(own) as Addon), loadSavedModel };
  try {
    work();
  } finally {
    backend.binding = addon;
  }
  return nodes.map((node) => [node.getOp(), node.getAttrMap().get('T')?.getType()]);
}

/** A convolution, a product with its bias, and the squared error, by Adam. */
function convStep(precision: Precision): CompiledStep {
  const { conv1d, flatten, dense } = tfjsLayers.layers;
  const model = tfjsLayers.sequential({
    layers: [conv1d({ filters: 2, kernelSize: 2, inputShape: [3, 1] }), flatten(), dense({ units: 1 })],
  });
  const registered = Object.values(tf.engine().registeredVariables);
  const weights = model.weights.map((weight) => registered.find(({ dataId }) => dataId === weight.read().dataId)!);
  const variables = Object.fromEntries(weights.map((weight, i) => [`weight${i}`, weight]));
  const step = compileStep({
    inputs: { x: { shape: [null, 3, 1], dtype: 'float32' }, y: { shape: [null, 1], dtype: 'float32' } },
    variables,
    step: ({ x, y }) => ({
      ...lossGradients(variables, () => tf.losses.meanSquaredError(y!, model.apply(x!) as tf.Tensor)),
      outputs: {},
    }),
    functions: {},
    optimizer: { kind: 'adam' },
    clipNorm: 1,
    precision,
  });
  model.dispose();
  return step;
}

describe('a step in bfloat16', { skip: missingNative() ?? false }, () => {
  before(() => useBackend('tensorflow'));

  it('computes all products in it and nothing else', () => {
    const products = ['MatMul', 'Conv2D', 'Conv2DBackpropFilter'];
    for (const precision of ['bfloat16', 'float32'] as const) {
      const graph = graphOf(() => {
        convStep(precision).dispose();
      });
      const ofProducts = graph.filter(([op]) => products.includes(op));
      assert.deepEqual(new Set(ofProducts.map(([op]) => op)), new Set(products));
      for (const [op, type] of ofProducts) assert.equal(type, dataTypes[precision], op);
      const others = graph.filter(([op]) => !products.includes(op));
      assert.ok(
        others.every(([, type]) => type !== dataTypes.bfloat16),
        'others',
      );
      assert.ok(others.some(([op, type]) => op === 'ResourceApplyAdam' && type === dataTypes.float32));
    }
  });

  it('rounds factors, not sums, losses or weights', () => {
    // 1 + 2⁻⁹ is 1 in bfloat16.
    const fine = 1 + 2 ** -9;
    const weight = tf.variable(tf.tensor2d([fine], [1, 1]));
    const step = compileStep({
      inputs: { x: { shape: [null, 1], dtype: 'float32' }, y: { shape: [null, 1], dtype: 'float32' } },
      variables: { weight },
      step: ({ x, y }) => {
        const outputs = tf.add(tf.matMul(x as tf.Tensor2D, weight), tf.scalar(2 ** -9));
        const errors = tf.sub(outputs, y!);
        return {
          loss: tf.mean(tf.square(errors)),
          gradients: { weight: tf.matMul(x as tf.Tensor2D, errors, true, false) },
          outputs: { outputs },
        };
      },
      functions: {},
      optimizer: { kind: 'sgd' },
      clipNorm: null,
      precision: 'bfloat16',
    });
    const { loss, outputs } = step.run({ x: Float32Array.of(fine), y: Float32Array.of(1 + 2 ** -8) }, 1, 2 ** -10);
    assert.equal(outputs['outputs']![0], fine);
    assert.equal(loss, 2 ** -18);
    // The gradient is −2⁻⁹, a number of bfloat16; the sum with the weight is not.
    assert.deepEqual(step.exportState().variables['weight'], Float32Array.of(fine + 2 ** -19));
    step.dispose();
    weight.dispose();
  });
});
