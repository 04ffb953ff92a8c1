import { cpus } from 'node:os';

/** What a bench runs on, in words. */
export function machine(): string {
  return `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`;
}
