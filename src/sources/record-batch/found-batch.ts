import type { BatchHeader } from './batch-header.ts';

/** A batch and where its first byte lies in `bytes`. */
export interface FoundBatch {
  readonly header: BatchHeader;
  readonly bytes: Buffer;
  readonly start: number;
}
