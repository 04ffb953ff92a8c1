import { TrainerError } from '../errors.ts';
import type { Snapshot, StepReport } from '../records.ts';
import { prepareNativeEnvironment } from './native-build.ts';
import { ringSlots } from './ring.ts';
import { TrainerCore } from './trainer-core.ts';
import type { Trainer, TrainerOptions } from './trainer.ts';

/**
 * A trainer on this thread, for commands and tests that do nothing else meanwhile: `observe` returns when the batch is learned.
 * @throws ConfigError and CheckpointError as the worker's.
 */
export async function inlineTrainer(options: TrainerOptions, snapshot: Snapshot | null): Promise<Trainer> {
  const slots = ringSlots(options);
  prepareNativeEnvironment('own');
  const core = await TrainerCore.create(options, snapshot);
  const listeners: ((report: StepReport) => void)[] = [];
  let closed = false;
  const open = (): Promise<void> =>
    closed ? Promise.reject(new TrainerError('trainer.failed', 'the trainer is closed')) : Promise.resolve();
  return {
    backend: core.backend,
    observe: async (batch) => {
      await open();
      const report = core.observe(batch);
      for (const listener of listeners) listener(report);
    },
    onReport: (listener) => void listeners.push(listener),
    snapshot: async () => {
      await open();
      return core.snapshot();
    },
    ring: { depth: 0, slots },
    // What goes wrong is thrown where it happens.
    failed: new Promise<never>(() => undefined),
    close: () => {
      if (!closed) core.dispose();
      closed = true;
      return Promise.resolve();
    },
  };
}
