/** Entry of the trainer's thread: takes slots off the ring in order until one says stop. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { CheckpointError, ConfigError } from '../errors.ts';
import { Ring } from './ring.ts';
import { TrainerCore } from './trainer-core.ts';
import type { WorkerMessage, WorkerSetup } from './worker-protocol.ts';

const port = parentPort;
assert(port !== null, 'worker.ts runs in a worker thread only');

function say(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

function work(core: TrainerCore, ring: Ring): void {
  for (;;) {
    const { kind, batch } = ring.take();
    if (kind === 'stop') return;
    if (kind === 'batch') {
      const report = core.observe(batch);
      ring.release();
      say({ type: 'report', report });
    } else {
      ring.release();
      const snapshot = core.snapshot();
      const buffers = Object.values(snapshot.arrays).map((array) => array.buffer as ArrayBuffer);
      say({ type: 'snapshot', snapshot }, [...new Set(buffers)]);
    }
  }
}

const { options, memory, snapshot } = workerData as WorkerSetup;
try {
  const core = await TrainerCore.create(options, snapshot);
  say({ type: 'ready', backend: core.backend });
  work(core, new Ring(options, memory));
  core.dispose();
} catch (error) {
  if (error instanceof ConfigError || error instanceof CheckpointError) {
    const name = error instanceof ConfigError ? 'ConfigError' : 'CheckpointError';
    say({ type: 'refused', error: name, code: error.code, message: error.message });
  } else {
    throw error;
  }
}
