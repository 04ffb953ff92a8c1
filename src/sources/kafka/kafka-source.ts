import { Observable } from 'rxjs';
import type { Telemetry } from '../../telemetry.ts';
import type { Source } from '../source.ts';
import { kafkaClient } from './kafka-connection.ts';
import { defaultTimings, type KafkaSourceOptions } from './kafka-options.ts';
import { KafkaReader } from './kafka-reader.ts';

/**
 * Records of Kafka topics from our own positions on: what Kafka stored for the group is never read.
 * Survives restarts of brokers and of the group without losing or repeating a record within one run; tells
 * `sourceInterrupted` again and again while it cannot read, and `sourceJoined` when it can. Several topics are read
 * side by side; one that does not exist yet is awaited. `commit` works after the end and after
 * `close` too.
 * Bad connections are tried for ever, or for `connectTimeoutMs` where bounded.
 * @throws ConfigError at the call where TLS or SASL settings cannot be used; in `blocks` SourceError
 * `source.outOfRange` by policy, `source.unavailable` (bounded only), `source.corrupt` for a batch that is damaged
 * or decompresses beyond the limit, `source.crashed` and `source.stalled` where even new consumers make no progress.
 */
export function kafkaSource(options: KafkaSourceOptions, telemetry: Telemetry): Source {
  // Files and settings that cannot be used are the user's to mend: say so now, not at the first connection.
  kafkaClient(options, 'none');
  const reader = new KafkaReader({ ...options, timings: { ...defaultTimings, ...options.timings } }, telemetry);
  return {
    blocks: new Observable((subscriber) => {
      void reader.read(subscriber);
      return () => {
        reader.unsubscribed();
      };
    }),
    commit: (positions) => reader.commit(positions),
    close: () => reader.close(),
  };
}
