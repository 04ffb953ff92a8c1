import type { Observable } from 'rxjs';
import type { Position, RecordBlock } from '../records.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Credit } from './credit.ts';

/** How a source starts where no checkpoint says otherwise: the first offset, the end, or the first record at or after a time (Unix ms). */
export type Start = 'earliest' | 'latest' | number;

/** What to do when a position is no longer (or not yet) in the log. */
export type OutOfRange = 'stop' | 'earliest' | 'latest';

/**
 * Cold, single subscriber. Blocks of one partition come in offset order and hold at most `maxBlockRecords` records.
 * Errors are fatal (`SourceError`). Bounded input ends with an empty block whose `isEndOfInput` is true, then completes;
 * after `close()` it completes without that block. Reads nothing more while over `creditBytes` of blocks are unreleased.
 */
export interface Source {
  readonly blocks: Observable<RecordBlock>;
  /**
   * Makes durable what earlier blocks were read from, where that is the source's to do: awaited before a checkpoint
   * names their offsets, so that no power loss can take back records that were learned.
   * @throws SourceError where that fails; the checkpoint must not be written then.
   */
  prepareCheckpoint?(): Promise<void>;
  /** Tells lag tools how far a durable checkpoint reaches; never read back. Never rejects. */
  commit(positions: readonly Position[]): Promise<void>;
  /** Stops reading; `blocks` completes soon after. */
  close(): Promise<void>;
}

/** What a pipeline tells a source of the program that embeds it. */
export interface SourceContext {
  /** As in `source: { program: { topic } }`. */
  readonly topic: string;
  /** Where to go on; empty where nothing was read before. */
  readonly positions: readonly Position[];
  /** True where reading shall end at the end that the input has now. */
  readonly isBounded: boolean;
  /** Of `limits.creditBytes`: take some for every block. */
  readonly credit: Credit;
  /** Where to say `sourceJoined` once the source can read. */
  readonly telemetry: Telemetry;
}

/** Makes the source of a pipeline whose configuration says `source: { program: { topic } }`. */
export type MakeSource = (context: SourceContext) => Source | Promise<Source>;

/** Records in one block at the most, so that a barrier never waits behind a whole fetch. */
export const maxBlockRecords = 1024;
