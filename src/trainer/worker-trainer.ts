import type { Worker } from 'node:worker_threads';
import { messageOf, TrainerError } from '../errors.ts';
import type { Batch, Snapshot, StepReport } from '../records.ts';
import { prepareNativeEnvironment } from './native-build.ts';
import { Ring } from './ring.ts';
import { startThread } from './start-thread.ts';
import { readiness } from './thread-readiness.ts';
import type { BackendChoice, Trainer, TrainerOptions } from './trainer.ts';
import type { WorkerMessage, WorkerReady, WorkerSetup } from './worker-protocol.ts';

/**
 * A trainer in a thread of its own, fed by a ring of shared memory. Resolves when the thread is ready to learn.
 * @throws ConfigError where the ring is too small, the backend does not work here or a model does not fit the task.
 * @throws CheckpointError where the snapshot does not fit the options.
 * @throws TrainerError where the thread dies at its start.
 */
export async function workerTrainer(options: TrainerOptions, snapshot: Snapshot | null): Promise<Trainer> {
  const ring = new Ring(options);
  prepareNativeEnvironment();
  const setup: WorkerSetup = { options, memory: ring.memory, snapshot };
  const worker = startThread('worker', { workerData: setup });
  const { backend } = await readiness<WorkerReady>(worker, 'the trainer');
  return new WorkerTrainer(worker, ring, backend);
}

interface SnapshotRequest {
  readonly resolve: (snapshot: Snapshot) => void;
  readonly reject: (error: Error) => void;
}

class WorkerTrainer implements Trainer {
  readonly backend: BackendChoice;
  readonly ring: Ring;
  readonly failed: Promise<never>;
  readonly #exited: Promise<void>;
  readonly #listeners: ((report: StepReport) => void)[] = [];
  readonly #snapshots: SnapshotRequest[] = [];
  /** Settles when all slots asked for so far are filled. */
  #turn: Promise<void> = Promise.resolve();
  #isStopping = false;
  /** Why nothing more can be asked for. */
  #ending: TrainerError | null = null;

  constructor(worker: Worker, ring: Ring, backend: BackendChoice) {
    this.ring = ring;
    this.backend = backend;
    worker.on('message', (message: WorkerMessage) => {
      this.#hear(message);
    });
    this.failed = new Promise((_, reject) => {
      worker.once('error', (cause) => {
        reject(this.#end(new TrainerError('trainer.failed', `the trainer died: ${messageOf(cause)}`, { cause })));
      });
      worker.once('exit', (code) => {
        if (this.#isStopping && code === 0) this.#end(new TrainerError('trainer.failed', 'the trainer is closed'));
        else reject(this.#end(new TrainerError('trainer.failed', `the trainer ended with code ${code}`)));
      });
    });
    // Whoever looks decides; unseen it must not end the process.
    this.failed.catch(() => undefined);
    // The worker keeps the event loop alive meanwhile, which waiting for the ring does not.
    this.#exited = new Promise((resolve) =>
      worker.once('exit', () => {
        resolve();
      }),
    );
  }

  observe(batch: Batch): Promise<void> {
    return this.#fill(() => {
      this.ring.put('batch', batch);
    });
  }

  onReport(listener: (report: StepReport) => void): void {
    this.#listeners.push(listener);
  }

  snapshot(): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      this.#fill(() => {
        this.ring.put('snapshot');
        this.#snapshots.push({ resolve, reject });
      }).catch(reject);
    });
  }

  async close(): Promise<void> {
    if (!this.#isStopping && this.#ending === null) {
      const stopping = this.#fill(() => {
        this.ring.put('stop');
      });
      this.#isStopping = true;
      // A worker that dies first has ended too; `failed` tells.
      await stopping.catch(() => undefined);
    }
    await this.#exited;
  }

  /** Fills the next slot, in the order of the calls. */
  #fill(put: () => void): Promise<void> {
    if (this.#isStopping) return Promise.reject(new TrainerError('trainer.failed', 'the trainer is closed'));
    const turn = this.#turn.then(async () => {
      await this.ring.hasRoom();
      if (this.#ending !== null) throw this.#ending;
      put();
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #hear(message: WorkerMessage): void {
    if (message.type === 'snapshot') this.#snapshots.shift()?.resolve(message.snapshot);
    else if (message.type === 'reports') {
      for (const report of message.reports) for (const listener of this.#listeners) listener(report);
    }
  }

  /** Rejects what is asked for and not answered; the first reason counts. */
  #end(reason: TrainerError): TrainerError {
    this.#ending ??= reason;
    this.ring.abandon();
    for (const { reject } of this.#snapshots.splice(0)) reject(this.#ending);
    return this.#ending;
  }
}
