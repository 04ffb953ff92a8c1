import { setTimeout as delay } from 'node:timers/promises';
import type { RecordBlock } from '../../../src/records.ts';
import type { Source } from '../../../src/sources/source.ts';
import type { Telemetry, TelemetryEvent } from '../../../src/telemetry.ts';

/** One record of a block, taken apart. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

export function recordsOf(block: RecordBlock): ReadRecord[] {
  const text = (start: number | undefined, length: number | undefined): string | null =>
    start === undefined || length === undefined || length < 0
      ? null
      : block.bytes.toString('utf8', start, start + length);
  return Array.from({ length: block.recordCount }, (_, index) => ({
    topic: block.topic,
    partition: block.partition,
    offset: block.offsets[index] ?? NaN,
    timestampMs: block.timestampsMs[index] ?? NaN,
    key: text(block.keyStarts[index], block.keyLengths[index]),
    value: text(block.valueStarts[index], block.valueLengths[index]),
    headers: block
      .headers(index)
      .map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString()] as const),
  }));
}

/** What a source gave until it ended. */
export interface Reading {
  readonly blocks: RecordBlock[];
  readonly records: ReadRecord[];
  /** How it ended: `end` with an end-of-input block, `closed` without, null while it goes on. */
  outcome: 'end' | 'closed' | { readonly error: Error } | null;
  readonly ended: Promise<void>;
}

/** Subscribes at once; blocks are released as they come unless `release` does it. */
export function read(
  source: Source,
  release: (block: RecordBlock) => void = (block) => {
    block.release();
  },
): Reading {
  let settle: () => void = () => undefined;
  const reading: Reading = {
    blocks: [],
    records: [],
    outcome: null,
    ended: new Promise((resolve) => {
      settle = resolve;
    }),
  };
  source.blocks.subscribe({
    next: (block) => {
      reading.blocks.push(block);
      reading.records.push(...recordsOf(block));
      release(block);
    },
    error: (error: unknown) => {
      reading.outcome = { error: error as Error };
      settle();
    },
    complete: () => {
      reading.outcome = reading.blocks.at(-1)?.isEndOfInput === true ? 'end' : 'closed';
      settle();
    },
  });
  return reading;
}

/** Reads a bounded source to its end and closes it. @throws what it failed with */
export async function readAll(source: Source): Promise<Reading> {
  const reading = read(source);
  await reading.ended;
  await source.close();
  if (reading.outcome !== null && typeof reading.outcome === 'object') throw reading.outcome.error;
  return reading;
}

/** Resolves when `isTrue`; throws after `limitMs`. */
export async function until(isTrue: () => boolean, what: string, limitMs = 20_000): Promise<void> {
  const start = Date.now();
  while (!isTrue()) {
    if (Date.now() - start > limitMs) throw new Error(`waited ${limitMs} ms for: ${what}`);
    await delay(20);
  }
}

/** Telemetry that remembers. */
export interface Recorded extends Telemetry {
  readonly events: TelemetryEvent[];
  readonly of: <T extends TelemetryEvent['type']>(type: T) => Extract<TelemetryEvent, { type: T }>[];
}

export function recordedTelemetry(): Recorded {
  const events: TelemetryEvent[] = [];
  return {
    events,
    emit: (event) => {
      events.push(event);
    },
    of: <T extends TelemetryEvent['type']>(type: T) =>
      events.filter((event): event is Extract<TelemetryEvent, { type: T }> => event.type === type),
  };
}
