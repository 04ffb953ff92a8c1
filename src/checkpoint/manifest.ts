import { createHash } from 'node:crypto';
import type { JsonValue, ModelReport, Outcomes, Position } from '../records.ts';

/** Grows when the files of a checkpoint change in a way that an older program cannot read. */
export const formatVersion = 1;

export interface ManifestFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Rows trained of one partition: their count and an order-free hash, so that an outside reader can prove exactly once. */
export interface LedgerEntry {
  readonly count: number;
  readonly hash: string;
}

/** What a checkpoint says of itself without its parts being read. */
export interface CheckpointFacts {
  /** Steps of the served model. */
  readonly step: number;
  readonly positions: readonly Position[];
  readonly records: Outcomes;
  /** By `topic:partition`. */
  readonly ledger: Readonly<Record<string, LedgerEntry>>;
  readonly weightsDigest: string;
  readonly backend: string;
  readonly models: Readonly<Record<string, ModelReport>>;
  readonly baseline: ModelReport;
  /** Bytes of the dead-letter file that this checkpoint counts; the file is cut back to them after a crash. */
  readonly deadLetterBytes: number | null;
  /** What shapes the state, by config key: a restart with other values is refused. */
  readonly shape: Readonly<Record<string, JsonValue>>;
}

export interface Manifest extends CheckpointFacts {
  readonly format: number;
  readonly id: string;
  readonly createdAt: string;
  readonly writerEpoch: number;
  readonly files: readonly ManifestFile[];
}

/** Lower-case hex SHA-256. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
