import { createRequire } from 'node:module';
import type { AbortedTransaction } from '../record-batch/aborted-producers.ts';
import type { RecordSet } from '../record-batch/record-set.ts';

/**
 * What is replaced in kafkajs, and why: its answer to a fetch becomes an object for every record, which costs about eight
 * times what Kafka's own bytes cost to walk, and ends for good on a batch of 130,000 records. Here the connections of
 * chosen clients decode that one answer to record sets. Each goes through kafkajs as a single message, untouched: no
 * fork, and other users of kafkajs in the process keep theirs.
 */

/** The release that this is written against and tested with. */
const knownVersion = '2.2.4';
/** Fetch versions whose answers carry record batches and have the layout below. */
const knownApi = { name: 'Fetch', from: 4, to: 11 } as const;
/** Where a batch of any format says which one it is. */
const magicAt = 16;

/** kafkajs's reader of one answer. */
interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(): string;
  readBytes(): Buffer;
  readArray<T>(read: (decoder: Decoder) => T): T[];
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
}

interface Exchange {
  readonly request: { readonly apiName: string; readonly apiVersion: number };
  readonly response: { decode(payload: Buffer): Promise<unknown> };
}

interface Connection {
  readonly socketFactory: object;
  /** Bytes that wait for the rest of their answer. */
  readonly bytesBuffered: number;
  chunks: Buffer[];
  processData: (this: Connection, data: Buffer) => unknown;
  send: (this: Connection, exchange: Exchange) => Promise<unknown>;
}

/** kafkajs's class of connections to one broker. */
export interface KafkaConnectionClass {
  readonly prototype: Connection;
}

/** The message that stands for all records of a partition's fetch. */
interface SetMessage {
  /** Above all offsets of the set, so that kafkajs never takes it for one that was read before. */
  readonly offset: string;
  readonly key: null;
  readonly isControlRecord: false;
  readonly recordSet: RecordSet;
}

const require = createRequire(import.meta.url);
const KafkaDecoder = require('kafkajs/src/protocol/decoder.js') as new (payload: Buffer) => Decoder;
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js') as (
  decoder: Decoder,
) => Promise<readonly unknown[]>;

/** The record set that a message of a fetch stands for; undefined where it is a plain message of kafkajs's own. */
export function recordSetOf(message: object | undefined): RecordSet | undefined {
  return (message as Partial<SetMessage> | undefined)?.recordSet;
}

/**
 * Makes connections decode fetches to record sets, those whose socket factory is among `ours`.
 * @param version of kafkajs: with any but the one that it knows nothing is changed.
 * @returns null, or in a sentence why nothing was changed.
 */
export function installColumnarFetch(
  connection: KafkaConnectionClass,
  version: string,
  ours: WeakSet<object>,
): string | null {
  if (version !== knownVersion) {
    return `kafkajs ${version} is installed, and the fast way to read from Kafka knows ${knownVersion} only: reading is several times slower, and ends at a batch of more than about 110,000 records`;
  }
  const { prototype } = connection;
  const { send, processData } = prototype;
  prototype.processData = function processWhole(data) {
    // Nothing waits but the empty rest of the answer before, with which kafkajs would join, and so copy, the next.
    if (this.bytesBuffered === 0 && ours.has(this.socketFactory)) this.chunks = [];
    return processData.call(this, data);
  };
  prototype.send = function sendColumnar(exchange) {
    const { apiName, apiVersion } = exchange.request;
    const isKnown = apiName === knownApi.name && apiVersion >= knownApi.from && apiVersion <= knownApi.to;
    if (!isKnown || !ours.has(this.socketFactory)) return send.call(this, exchange);
    const decode = (payload: Buffer): Promise<unknown> => decodeFetch(payload, apiVersion);
    return send.call(this, { ...exchange, response: { ...exchange.response, decode } });
  };
  return null;
}

/** The answer as kafkajs's own decoders give it, but for the messages. */
async function decodeFetch(payload: Buffer, version: number): Promise<unknown> {
  const decoder = new KafkaDecoder(payload);
  const throttleMs = decoder.readInt32();
  if (version >= 7) decoder.offset += 6; // the error and the id of a fetch session, which kafkajs never opens
  const responses = await decoder.readArrayAsync(async () => ({
    topicName: decoder.readString(),
    partitions: await decoder.readArrayAsync(() => decodePartition(decoder, version)),
  }));
  // Before version 8 the broker has waited already (KIP-219).
  return { clientSideThrottleTime: version >= 8 ? throttleMs : 0, responses };
}

async function decodePartition(decoder: Decoder, version: number): Promise<unknown> {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = decoder.readInt64().toString();
  const lastStableOffset = decoder.readInt64().toString();
  if (version >= 5) decoder.readInt64(); // the log's start
  const abortedTransactions = decoder.readArray(() => ({
    producerId: Number(decoder.readInt64()),
    firstOffset: Number(decoder.readInt64()),
  }));
  const preferredReadReplica = version >= 11 ? decoder.readInt32() : -1;
  const messages = readSet(decoder, highWatermark, abortedTransactions) ?? (await decodeMessages(decoder));
  // kafkajs would look for them among the messages; and formats before record batches know no transactions.
  const none: readonly AbortedTransaction[] = [];
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    preferredReadReplica,
    abortedTransactions: none,
    messages,
  };
}

/** Null, with nothing read, where the records are in an older format, which is left to kafkajs. */
function readSet(
  decoder: Decoder,
  offset: string,
  abortedTransactions: readonly AbortedTransaction[],
): readonly SetMessage[] | null {
  const start = decoder.offset + 4;
  const size = decoder.buffer.readInt32BE(decoder.offset);
  const magic = size > magicAt ? decoder.buffer[start + magicAt] : undefined;
  if (magic === 0 || magic === 1) return null;
  const bytes = decoder.readBytes();
  if (magic === undefined) return [];
  return [{ offset, key: null, isControlRecord: false, recordSet: { bytes, abortedTransactions } }];
}
