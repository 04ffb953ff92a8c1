/** Entry of the trainer's thread: takes slots off the ring in order until one says stop. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { Ring } from './ring.ts';
import type { StepReport } from '../records.ts';
import { refusedBy } from './thread-readiness.ts';
import { TrainerCore } from './trainer-core.ts';
import type { WorkerMessage, WorkerSetup } from './worker-protocol.ts';

/** How long a report waits for others, at most. */
const sendEveryMs = 10;

const port = parentPort;
assert(port !== null, 'worker.ts runs in a worker thread only');

function say(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

function work(core: TrainerCore, ring: Ring): void {
  const reports = new Reports();
  for (;;) {
    // Nothing is kept back while the thread waits.
    if (ring.depth === 0) reports.send();
    const { kind, batch } = ring.take();
    if (kind === 'batch') {
      reports.add(core.observe(batch));
      ring.release();
      continue;
    }
    ring.release();
    reports.send();
    if (kind === 'stop') return;
    const snapshot = core.snapshot();
    const buffers = Object.values(snapshot.arrays).map((array) => array.buffer as ArrayBuffer);
    say({ type: 'snapshot', snapshot }, [...new Set(buffers)]);
  }
}

/** Reports on their way to the main thread: those of small steps go together, since a message wakes it and costs as much as the step. */
class Reports {
  #waiting: StepReport[] = [];
  #sentMs = performance.now();

  add(report: StepReport): void {
    this.#waiting.push(report);
    if (performance.now() - this.#sentMs >= sendEveryMs) this.send();
  }

  send(): void {
    this.#sentMs = performance.now();
    if (this.#waiting.length === 0) return;
    say({ type: 'reports', reports: this.#waiting });
    this.#waiting = [];
  }
}

const { options, memory, snapshot } = workerData as WorkerSetup;
try {
  const core = await TrainerCore.create(options, snapshot);
  say({ type: 'ready', backend: core.backend });
  work(core, new Ring(options, memory));
  core.dispose();
} catch (error) {
  say(refusedBy(error));
}
