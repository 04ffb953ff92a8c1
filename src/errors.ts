import type { ErrorCode } from './error-codes.ts';

/** What an error tells programs besides its message. */
export interface ErrorDetails {
  /** True where waiting and trying again may help without a change by the user. */
  readonly retriable?: boolean;
  readonly cause?: unknown;
  /** Where it happened: topic, partition, offset, file, key of the configuration. */
  readonly context?: Readonly<Record<string, string | number>>;
}

/** Base of every error that Millrace raises on purpose. The message says what happened, where, and what to do. */
export class PipelineError extends Error {
  override readonly name: string = 'PipelineError';
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly context: Readonly<Record<string, string | number>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retriable = details.retriable ?? false;
    this.context = details.context ?? {};
  }
}

/** The configuration or the command line cannot be used: exit 2. */
export class ConfigError extends PipelineError {
  override readonly name = 'ConfigError';
}

/** A source cannot go on. */
export class SourceError extends PipelineError {
  override readonly name = 'SourceError';
}

/** A schema cannot be had (a bad record is a value, not an error). */
export class DecodeError extends PipelineError {
  override readonly name = 'DecodeError';
}

/** The trainer cannot go on. */
export class TrainerError extends PipelineError {
  override readonly name = 'TrainerError';
}

/** State cannot be written or read back. */
export class CheckpointError extends PipelineError {
  override readonly name = 'CheckpointError';
}

/** Which version is served cannot be changed as asked. */
export class PromotionError extends PipelineError {
  override readonly name = 'PromotionError';
}

/** What a caught value says, in one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
