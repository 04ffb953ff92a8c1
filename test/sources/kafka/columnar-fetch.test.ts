import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import {
  installColumnarFetch,
  recordSetOf,
  type KafkaConnectionClass,
} from '../../../src/sources/kafka/columnar-fetch.ts';
import { encodeBatch } from '../../../src/sources/record-batch/encode-batch.ts';
import { writeInt64 } from '../../../src/sources/record-batch/int64.ts';
import { segmentOf, textRecord } from '../record-batch/batches.ts';

const require = createRequire(import.meta.url);

type Exchange = Parameters<KafkaConnectionClass['prototype']['send']>[0];

interface FetchAnswer {
  readonly clientSideThrottleTime?: number;
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly highWatermark: string;
      readonly preferredReadReplica?: number;
      readonly messages: readonly { readonly offset: string; readonly value?: Buffer | null }[];
    }[];
  }[];
}

/** kafkajs's own response of one version, as its `Connection` would be given it. */
function exchange(version: number, apiName = 'Fetch'): Exchange {
  const response = require(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`) as Exchange['response'];
  return { request: { apiName, apiVersion: version }, response };
}

/** A connection that has the bytes of the answer already. */
function connectionClass(
  payload: Buffer,
): KafkaConnectionClass & (new (socketFactory: object) => KafkaConnectionClass['prototype']) {
  return class {
    readonly socketFactory: object;
    readonly bytesBuffered = 0;
    chunks: Buffer[] = [Buffer.alloc(0)];
    constructor(socketFactory: object) {
      this.socketFactory = socketFactory;
    }
    send(asked: Exchange): Promise<unknown> {
      return asked.response.decode(payload);
    }
    processData(data: Buffer): void {
      this.chunks.push(data);
    }
  };
}

async function fetched(payload: Buffer, version: number, isOurs = true): Promise<FetchAnswer> {
  const Connection = connectionClass(payload);
  const factory = {};
  assert.equal(installColumnarFetch(Connection, '2.2.4', new WeakSet([isOurs ? factory : {}])), null);
  return (await new Connection(factory).send(exchange(version))) as FetchAnswer;
}

const int = (bytes: 2 | 4, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
};
const long = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  writeInt64(buffer, 0, value);
  return buffer;
};

/** A fetch answer of one topic `t` with one partition for each of `sets`, in the layout of `version`. */
function answer(
  version: number,
  sets: readonly Buffer[],
  aborted: readonly (readonly [number, number])[] = [],
): Buffer {
  const partitions = sets.map((set, index) =>
    Buffer.concat([
      int(4, index),
      int(2, 0),
      long(500),
      long(400),
      ...(version >= 5 ? [long(0)] : []),
      int(4, aborted.length),
      ...aborted.map(([producerId, firstOffset]) => Buffer.concat([long(producerId), long(firstOffset)])),
      ...(version >= 11 ? [int(4, -1)] : []),
      int(4, set.length),
      set,
    ]),
  );
  return Buffer.concat([
    int(4, 25),
    ...(version >= 7 ? [int(2, 0), int(4, 0)] : []),
    int(4, 1),
    int(2, 1),
    Buffer.from('t'),
    int(4, partitions.length),
    ...partitions,
  ]);
}

const set = segmentOf([encodeBatch([textRecord('one'), textRecord('two')])], 10);

/** One message of format v1, as brokers before 0.11 wrote it. */
function oldMessage(value: string): Buffer {
  const body = Buffer.concat([
    Buffer.from([1, 0]),
    long(1_700_000_000_000),
    int(4, -1),
    int(4, value.length),
    Buffer.from(value),
  ]);
  return Buffer.concat([long(7), int(4, body.length + 4), int(4, 0), body]);
}

for (const version of [4, 5, 6, 7, 8, 9, 10, 11]) {
  test(`a fetch of version ${version} brings the bytes of each partition, untouched`, async () => {
    const { responses, clientSideThrottleTime } = await fetched(
      answer(version, [set, Buffer.alloc(0)], [[9, 3]]),
      version,
    );
    assert.equal(clientSideThrottleTime, version >= 8 ? 25 : 0);
    assert.equal(responses[0]?.topicName, 't');
    const [full, empty] = responses[0].partitions;
    assert.deepEqual([full?.partition, full?.errorCode, full?.highWatermark], [0, 0, '500']);
    assert.equal(full?.messages.length, 1);
    const recordSet = recordSetOf(full.messages[0]);
    assert.deepEqual(recordSet?.bytes, set);
    assert.deepEqual(recordSet.abortedTransactions, [{ producerId: 9, firstOffset: 3 }]);
    assert.deepEqual(empty?.messages, []);
  });
}

test('older message formats are decoded by kafkajs, beside partitions in ours', async () => {
  const { responses } = await fetched(answer(11, [oldMessage('from long ago'), set]), 11);
  const [old, current] = responses[0]?.partitions ?? [];
  assert.equal(recordSetOf(old?.messages[0]), undefined);
  assert.deepEqual([old?.messages[0]?.offset, old?.messages[0]?.value?.toString()], ['7', 'from long ago']);
  assert.deepEqual(recordSetOf(current?.messages[0])?.bytes, set);
});

test('other users of kafkajs, and other requests, are left alone', async () => {
  const { responses } = await fetched(answer(11, [set]), 11, false);
  assert.deepEqual(
    responses[0]?.partitions[0]?.messages.map(({ value }) => value?.toString()),
    ['one', 'two'],
  );
  const Connection = connectionClass(answer(11, [set]));
  const factory = {};
  installColumnarFetch(Connection, '2.2.4', new WeakSet([factory]));
  const other = (await new Connection(factory).send(exchange(11, 'Metadata'))) as FetchAnswer;
  assert.equal(other.responses[0]?.partitions[0]?.messages.length, 2);
});

test('with another version of kafkajs nothing is changed, and the reason names both versions', () => {
  const Connection = connectionClass(answer(11, [set]));
  const { send } = Connection.prototype;
  assert.match(
    installColumnarFetch(Connection, '2.3.0', new WeakSet()) ?? '',
    /^kafkajs 2\.3\.0 is installed.* 2\.2\.4 only/,
  );
  assert.equal(Connection.prototype.send, send);
});

test('an answer that comes whole is not joined with what is left of the one before', () => {
  const Connection = connectionClass(Buffer.alloc(0));
  const factory = {};
  installColumnarFetch(Connection, '2.2.4', new WeakSet([factory]));
  const [ours, other] = [new Connection(factory), new Connection({})];
  const whole = Buffer.from('answer');
  for (const connection of [ours, other]) connection.processData(whole);
  assert.deepEqual(ours.chunks, [whole]);
  assert.deepEqual(other.chunks, [Buffer.alloc(0), whole]);
});
