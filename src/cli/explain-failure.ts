import { stderr } from 'node:process';
import { ConfigError, PipelineError, messageOf } from '../errors.ts';

/** 0 done, 1 failed, 2 usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** Says on stderr what went wrong, and which exit code that is. A programming error shows its stack. */
export function explainFailure(error: unknown): ExitCode {
  if (error instanceof PipelineError) {
    stderr.write(`millrace: ${error.message}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  stderr.write(`millrace: unexpected error, please report it: ${text}\n`);
  return 1;
}
