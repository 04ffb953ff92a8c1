import type { Position } from '../../records.ts';
import type { Credit } from '../credit.ts';
import type { OutOfRange, Start } from '../source.ts';

/** Which embedded log, from where, and how long to be patient. */
export interface LogSourceOptions {
  /** Directory that holds the partitions' folders: an embedded log, or a broker's data directory. */
  readonly dir: string;
  readonly topic: string;
  /** Where reading begins while `positions` names no partition of the topic. */
  readonly start: Start;
  readonly onOutOfRange: OutOfRange;
  readonly credit: Credit;
  /** Where reading goes on, from the checkpoint. */
  readonly positions: readonly Position[];
  /** True to end where each partition can be read to at the start. */
  readonly isBounded: boolean;
  /** How long a bounded reading waits for the topic to appear; otherwise it waits for ever. */
  readonly connectTimeoutMs: number;
  /** How often to look for growth that the file system does not tell of. */
  readonly pollMs: number;
}
