import { Observable } from 'rxjs';
import type { Telemetry } from '../../telemetry.ts';
import type { Source } from '../source.ts';
import { LogReading } from './log-reading.ts';
import type { LogSourceOptions } from './log-source-options.ts';

/**
 * Reads a topic from a directory in Kafka's on-disk format and follows it as it grows. Only committed records are
 * shown. Batches are merged whole by (base timestamp, partition): a bounded reading of the same log has one order.
 * Positions outside the log are decided by `onOutOfRange`; damage ends the stream (`source.corrupt`).
 */
export function logSource(options: LogSourceOptions, telemetry: Telemetry): Source {
  const closing = new AbortController();
  let reading: LogReading | null = null;
  const blocks: Source['blocks'] = new Observable((subscriber) => {
    if (reading !== null) throw new Error('a source has one subscriber');
    const unsubscribed = new AbortController();
    const signal = AbortSignal.any([closing.signal, unsubscribed.signal]);
    reading = new LogReading(options, telemetry, signal, (block) => {
      subscriber.next(block);
    });
    reading.run().then(
      () => {
        subscriber.complete();
      },
      (error: unknown) => {
        subscriber.error(error);
      },
    );
    return () => {
      unsubscribed.abort();
    };
  });
  return {
    blocks,
    prepareCheckpoint: () => reading?.syncFiles() ?? Promise.resolve(),
    commit: () => Promise.resolve(),
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}
