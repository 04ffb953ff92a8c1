import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrainerError } from '../../src/errors.ts';
import { useBackend } from '../../src/trainer/backends.ts';
import { type DenseEngine, type DenseInputs, localEngine } from '../../src/trainer/dense-engine.ts';
import { uniformNumbers } from '../../src/trainer/random.ts';
import { webgpuEngine } from '../../src/trainer/webgpu-engine.ts';
import { engines } from './engines.ts';

function inputsOf(widths: readonly number[], rowCount: number): DenseInputs {
  const random = uniformNumbers(5);
  const values = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * random() - 1);
  const parameters = widths.slice(1).flatMap((outputs, l) => {
    const inputs = widths[l]!;
    return [
      { name: `dense${l}/kernel`, shape: [inputs, outputs], values: values(inputs * outputs) },
      { name: `dense${l}/bias`, shape: [outputs], values: values(outputs) },
    ];
  });
  return { activation: 'relu', parameters, rowCount, features: values(rowCount * widths[0]!) };
}

/** The outputs and all gradients of a pass, copied. */
function passOf(engine: DenseEngine, inputs: DenseInputs): readonly Float32Array[] {
  return engine.pass(inputs, (outputs, backwardPass) =>
    [outputs, ...backwardPass(outputs.map((_, i) => Math.sin(i)))].map((values) => values.slice()),
  );
}

describe('webgpuEngine', { skip: !engines.includes('webgpu') }, () => {
  // Each shape has its own kernels: rows and widths of one, divisible by four and not, longer sums than outputs.
  for (const [rowCount, widths] of [
    [1, [3, 1]],
    [1, [1, 5, 2]],
    [32, [8, 64, 64, 1]],
    [131, [65, 130, 70, 5]],
    [1024, [16, 32, 4]],
  ] as const) {
    it(`passes forward and back as plain JavaScript does: ${rowCount} rows of ${widths.join('-')}`, async () => {
      const inputs = inputsOf(widths, rowCount);
      const found = passOf(await webgpuEngine(), inputs);
      await useBackend('cpu');
      const expected = passOf(localEngine, inputs);
      assert.equal(found.length, expected.length);
      expected.forEach((values, v) => {
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const apart = values.map((value, i) => Math.abs(value - found[v]![i]!)).reduce((a, b) => Math.max(a, b));
        assert.ok(apart <= 1e-5 * largest, `array ${v} is apart by ${apart} of ${largest}`);
      });
    });
  }

  it('tells what fails in its thread as a TrainerError, and works on', async () => {
    const engine = await webgpuEngine();
    const inputs = inputsOf([3, 4, 1], 2);
    const before = passOf(engine, inputs);
    const misfit = { ...inputs, parameters: inputs.parameters.slice(2) };
    assert.throws(
      () => passOf(engine, misfit),
      (error) =>
        error instanceof TrainerError && error.message.startsWith('the thread "webgpu-thread": Error in matMul'),
    );
    assert.deepEqual(passOf(engine, inputs), before);
  });
});
