import type { Snapshot, StepReport } from '../records.ts';
import type { RingMemory } from './ring.ts';
import type { Refused } from './thread-readiness.ts';
import type { BackendChoice, TrainerOptions } from './trainer.ts';

/** What the worker is started with. */
export interface WorkerSetup {
  readonly options: TrainerOptions;
  readonly memory: RingMemory;
  readonly snapshot: Snapshot | null;
}

/** The worker can learn from now on. */
export interface WorkerReady {
  readonly type: 'ready';
  readonly backend: BackendChoice;
}

/** What the worker says, in the order in which it happened. */
export type WorkerMessage =
  | WorkerReady
  | Refused
  | { readonly type: 'reports'; readonly reports: readonly StepReport[] }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot };
