import { SourceError } from '../../errors.ts';

/** The error for bytes that are no record batch; `context` says where they lie. */
export function corrupt(
  what: string,
  context: Readonly<Record<string, string | number>> = {},
  cause?: unknown,
): SourceError {
  return new SourceError('source.corrupt', what, { context, cause });
}
