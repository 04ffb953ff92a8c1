import type { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../error-codes.ts';
import { CheckpointError, ConfigError, messageOf, TrainerError } from '../errors.ts';

/** A thread cannot start: an error that the user can mend, told by its class and code since errors lose both on the way. */
export interface Refused {
  readonly type: 'refused';
  readonly error: 'ConfigError' | 'CheckpointError';
  readonly code: ErrorCode;
  readonly message: string;
}

/** What the thread says of an error at its start. @throws the error itself where no user can mend it. */
export function refusedBy(error: unknown): Refused {
  if (!(error instanceof ConfigError || error instanceof CheckpointError)) throw error;
  const name = error instanceof ConfigError ? 'ConfigError' : 'CheckpointError';
  return { type: 'refused', error: name, code: error.code, message: error.message };
}

/**
 * The first thing that a thread says, which is that it is ready. `name`: what it is, for messages.
 * @throws ConfigError and CheckpointError where it says why it cannot start; TrainerError where it dies.
 */
export function readiness<Ready extends { readonly type: 'ready' }>(worker: Worker, name: string): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (message: Ready | Refused): void => {
      settle();
      if (message.type === 'ready') resolve(message);
      else reject(refusal(message));
    };
    const onError = (cause: unknown): void => {
      settle();
      reject(new TrainerError('trainer.failed', `${name} did not start: ${messageOf(cause)}`, { cause }));
    };
    const onExit = (code: number): void => {
      settle();
      reject(new TrainerError('trainer.failed', `${name} ended with code ${code} before it was ready`));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

function refusal({ error, code, message }: Refused): ConfigError | CheckpointError {
  return error === 'ConfigError' ? new ConfigError(code, message) : new CheckpointError(code, message);
}
