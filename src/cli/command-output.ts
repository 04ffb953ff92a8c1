import { stderr, stdout } from 'node:process';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { ConfigError, PipelineError, messageOf } from '../errors.ts';

/** 0 done, 1 failed, 2 usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** Prints the one document of a `--json` command. */
export function printJson(document: unknown): void {
  stdout.write(`${JSON.stringify(document)}\n`);
}

export function printLine(text = ''): void {
  stdout.write(`${text}\n`);
}

/** Logs go to stderr: as JSON for machines, readable on a terminal. */
export function commandLogger(): Logger {
  const options = { level: process.env['LOG_LEVEL'] ?? 'info', base: null };
  if (!stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, translateTime: 'HH:MM:ss', ignore: 'pid,hostname' }));
}

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
