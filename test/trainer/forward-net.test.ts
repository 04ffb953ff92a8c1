import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError } from '../../src/errors.ts';
import { useBackend } from '../../src/trainer/backends.ts';
import { ForwardNet } from '../../src/trainer/layers/forward-net.ts';
import { temporaryDirectory } from '../support/command.ts';
import { modelFile, netsOfThree, type LayerJson } from '../support/model-files.ts';

const dir = temporaryDirectory({ after });
const widths = { featureCount: 3, outputCount: 1 };
const rows = Float32Array.of(1, 2, 3, -1, 0.5, 0);

/** Weights of a state, other ones for each number. */
const stateOf = (net: ForwardNet, state: number): Float32Array[] =>
  net.weights.map(({ size }, w) => Float32Array.from({ length: size }, (_, i) => Math.sin(state + 3 * w + i) ** 2));

describe('a forward net', () => {
  before(() => useBackend('wasm'));

  for (const [name, layers] of Object.entries(netsOfThree)) {
    it(`holds the tensors of one state, however many predict and how often they change, and none in the end (${name})`, async () => {
      const outside = tf.memory();
      const net = await ForwardNet.build(modelFile(join(dir, name), layers), widths);
      const held = tf.memory();
      assert.equal(held.numTensors - outside.numTensors, net.weights.length);
      const outputs = Array.from({ length: 50 }, (_, state) => {
        net.set(stateOf(net, state));
        return net.outputs(rows, 2);
      });
      assert.equal(new Set(outputs.map(([first]) => first)).size, 50);
      net.set(stateOf(net, 7));
      assert.deepEqual(net.outputs(rows, 2), outputs[7]);
      assert.deepEqual([tf.memory().numTensors, tf.memory().numBytes], [held.numTensors, held.numBytes]);
      net.dispose();
      assert.deepEqual([tf.memory().numTensors, tf.memory().numBytes], [outside.numTensors, outside.numBytes]);
    });
  }

  it('keeps no view of weights and rows, and gives copies', async () => {
    const net = await ForwardNet.build(modelFile(join(dir, 'copies'), netsOfThree['dense']!), widths);
    const [state, mine] = [stateOf(net, 1), rows.slice()];
    net.set(state);
    const first = net.outputs(mine, 2);
    for (const array of [...state, mine]) array.fill(0);
    assert.deepEqual(net.outputs(rows, 2), first);
    net.dispose();
  });

  it('gives NaN for a row that it cannot take, leaves the others as they are, and no tensor behind', async () => {
    const layers: readonly LayerJson[] = [
      ['Embedding', { input_dim: 4, output_dim: 2, batch_input_shape: [null, 3] }],
      ['Flatten', {}],
      ['Dense', { units: 2 }],
    ];
    const file = modelFile(join(dir, 'embedding'), layers);
    const net = await ForwardNet.build(file, { featureCount: 3, outputCount: 2 });
    net.set(stateOf(net, 1));
    const { numTensors } = tf.memory();
    const good = net.outputs(Float32Array.of(0, 1, 2, 3, 3, 3), 2);
    const mixed = net.outputs(Float32Array.of(0, 1, 2, 1, 4, 1, 3, 3, 3), 3);
    assert.deepEqual([...mixed], [...good.subarray(0, 2), NaN, NaN, ...good.subarray(2)]);
    assert.equal(tf.memory().numTensors, numTensors);
    net.dispose();
  });

  it('needs no time to draw weights that will not be used', async () => {
    // To draw orthogonal ones takes a minute.
    const orthogonal = { class_name: 'Orthogonal', config: { gain: 1, seed: null } };
    const drawn = { kernel_initializer: orthogonal, recurrent_initializer: orthogonal };
    const layers: readonly LayerJson[] = [
      ['GRU', { units: 512, ...drawn, batch_input_shape: [null, 3, 1] }],
      ['Dense', { units: 1, kernel_initializer: orthogonal }],
    ];
    const net = await ForwardNet.build(modelFile(join(dir, 'wide'), layers), widths);
    assert.deepEqual([...net.outputs(rows, 2)], [0, 0]);
    net.dispose();
  });

  it('refuses what is no model of the pipeline and leaves nothing behind', async () => {
    const { numTensors } = tf.memory();
    const file = modelFile(join(dir, 'wrong'), netsOfThree['dense']!);
    await assert.rejects(
      ForwardNet.build(file, { featureCount: 4, outputCount: 1 }),
      (error) =>
        error instanceof ConfigError && /its input is \[null, 3\]; rows of this pipeline have 4/.test(error.message),
    );
    assert.equal(tf.memory().numTensors, numTensors);
  });
});
