import { stderr } from 'node:process';
import { errorCodes } from '../error-codes.ts';
import { PipelineError, messageOf } from '../errors.ts';

/** Says on stderr what went wrong, with the code of docs/errors.md, and returns the exit code. A programming error shows its stack. */
export function explainFailure(error: unknown): 1 | 2 {
  if (error instanceof PipelineError) {
    stderr.write(`millrace: ${error.code}: ${error.message}\n`);
    return errorCodes[error.code].exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  stderr.write(`millrace: unexpected error, please report it: ${text}\n`);
  return 1;
}
