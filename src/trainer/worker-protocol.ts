import type { ErrorCode } from '../error-codes.ts';
import type { Snapshot, StepReport } from '../records.ts';
import type { RingMemory } from './ring.ts';
import type { BackendChoice, TrainerOptions } from './trainer.ts';

/** What the worker is started with. */
export interface WorkerSetup {
  readonly options: TrainerOptions;
  readonly memory: RingMemory;
  readonly snapshot: Snapshot | null;
}

/** What the worker says, in the order in which it happened. */
export type WorkerMessage =
  | { readonly type: 'ready'; readonly backend: BackendChoice }
  /** It cannot start: an error that the user can mend, told by its class and code since errors lose both on the way. */
  | {
      readonly type: 'refused';
      readonly error: 'ConfigError' | 'CheckpointError';
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly type: 'reports'; readonly reports: readonly StepReport[] }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot };
