import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrainerError } from '../../src/errors.ts';
import { workerTrainer } from '../../src/trainer/worker-trainer.ts';
import { trainerContract } from '../contracts/trainer-contract.ts';
import { engines } from './engines.ts';
import { batchOf, trainerOptions } from './support.ts';

// The kinds of models do not depend on the thread; one that uses everything will do.
const wanted = (kind: string): boolean => kind === 'mlp, Adam, horizon, change';
for (const engine of engines.filter((name) => name !== 'wasm')) {
  trainerContract(`workerTrainer, ${engine}`, workerTrainer, wanted, engine);
}

describe('a worker that dies', () => {
  it('rejects failed and every call with a TrainerError, also those that wait for room', async () => {
    const trainer = await workerTrainer(trainerOptions({ batchRows: 1, ringBytes: 400 }), null);
    const isDeath = (error: unknown): boolean =>
      error instanceof TrainerError && error.code === 'trainer.failed' && error.message.includes('without a target');
    const deadly = batchOf([{ features: [1, 2, 3], target: NaN }]);
    const calls = Array.from({ length: 50 }, () => trainer.observe(deadly));
    const snapshot = trainer.snapshot();
    await assert.rejects(trainer.failed, isDeath);
    const settled = await Promise.allSettled([...calls, snapshot]);
    const rejections = settled.filter((each) => each.status === 'rejected');
    assert.ok(rejections.length > 40);
    assert.ok(rejections.every(({ reason }) => isDeath(reason)));
    await assert.rejects(trainer.observe(deadly), isDeath);
    await trainer.close();
  });
});
