import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/errors.ts';
import { missingNative } from '../../src/trainer/native-build.ts';
import { TrainerCore } from '../../src/trainer/trainer-core.ts';
import type { LearnerSpec, TrainerOptions } from '../../src/trainer/trainer.ts';
import { temporaryDirectory } from '../support/command.ts';
import { modelFile, netsOfThree } from '../support/model-files.ts';
import { engines } from './engines.ts';
import { batches, readings, trainerOptions } from './support.ts';

const dir = temporaryDirectory({ after });
const layersOf = (net: string): LearnerSpec => ({ kind: 'layers', file: modelFile(join(dir, net), netsOfThree[net]!) });
const nets: Readonly<Record<string, LearnerSpec>> = {
  mlp: { kind: 'mlp', hidden: [16, 8], activation: 'relu' },
  dense: layersOf('dense'),
  gru: layersOf('gru'),
};

const inBfloat16 = (main: LearnerSpec, over: Partial<TrainerOptions> = {}): TrainerOptions =>
  trainerOptions({
    models: { main },
    backend: 'tensorflow',
    training: {
      optimizer: { kind: 'adam' },
      learningRate: 0.01,
      clipNorm: 1,
      precision: 'bfloat16',
      loss: { kind: 'mse' },
    },
    ...over,
  });
const inFloat32 = (options: TrainerOptions): TrainerOptions => ({
  ...options,
  training: { ...options.training, precision: 'float32' },
});

const stream = batches(readings(16 * 120, 11), 16);
const lossesOf = (core: TrainerCore, part: typeof stream): number[] =>
  part.map((batch) => core.observe(batch).models['main']!.loss!);

describe('training.precision: bfloat16', { skip: missingNative() ?? false }, () => {
  for (const [name, net] of Object.entries(nets)) {
    it(`learns as float32 does, losses within 1 % of the first over 100 steps (${name})`, async () => {
      const options = inBfloat16(net);
      const [low, high] = [
        await TrainerCore.create(options, null),
        await TrainerCore.create(inFloat32(options), null),
      ].map((core) => {
        const losses = lossesOf(core, stream.slice(0, 100));
        core.dispose();
        return losses;
      });
      const apart = Math.max(...low!.map((loss, step) => Math.abs(loss - high![step]!)));
      assert.ok(apart > 0, 'it computes otherwise');
      assert.ok(apart < 0.01 * high![0]!, `apart by ${apart}`);
      assert.ok(low!.at(-1)! < 0.3 * low![0]!);
    });

    it(`saves a float32 state, which goes on bit by bit, and in float32 on any engine (${name})`, async () => {
      const options = inBfloat16(net);
      const first = await TrainerCore.create(options, null);
      lossesOf(first, stream.slice(0, 20));
      const state = first.snapshot();
      const expected = lossesOf(first, stream.slice(20));
      first.dispose();
      const kernels = Object.entries(state.arrays).filter(([path]) => /weights\..*kernel$/.test(path));
      assert.ok(kernels.length > 0);
      for (const [path, values] of kernels) {
        const bits = new Uint32Array((values as Float32Array).slice().buffer);
        assert.ok(
          bits.some((word) => (word & 0xffff) !== 0),
          `${path} has more than the bits of bfloat16`,
        );
      }
      const again = await TrainerCore.create(options, state);
      assert.deepEqual(lossesOf(again, stream.slice(20)), expected);
      again.dispose();
      for (const backend of engines.filter((each) => net.kind === 'mlp' || each !== 'webgpu')) {
        const core = await TrainerCore.create(inFloat32({ ...options, backend }), state);
        assert.deepEqual(core.snapshot().arrays, state.arrays);
        const losses = lossesOf(core, stream.slice(20));
        assert.ok(Math.abs(losses[0]! - expected[0]!) < 0.01 && losses.at(-1)! < losses[0]!, backend);
        core.dispose();
      }
    });
  }

  it('is refused for a step that cannot be one graph', async () => {
    await assert.rejects(
      TrainerCore.create(inBfloat16(layersOf('dropout')), null),
      (error) =>
        error instanceof ConfigError &&
        /model\.json: training\.precision: bfloat16 needs .* random mask\. Take precision out/.test(error.message),
    );
  });
});

it('training.precision: bfloat16 is refused on other backends and without a net', async () => {
  await assert.rejects(
    TrainerCore.create(inBfloat16(nets['mlp']!, { backend: 'cpu' }), null),
    (error) =>
      error instanceof ConfigError &&
      /bfloat16 is for the tensorflow backend, and this run has cpu; set backend: tensorflow, or precision: float32/.test(
        error.message,
      ),
  );
  const document = {
    name: 'line',
    source: { csv: { file: 'line.csv' } },
    features: ['x'],
    target: 'y',
    models: { main: 'linear' },
    training: { precision: 'bfloat16' },
  };
  assert.throws(
    () => parseConfig(JSON.stringify(document), 'line.yaml', {}),
    /training\.precision: bfloat16 is for mlp and layers, and models has neither/,
  );
});
