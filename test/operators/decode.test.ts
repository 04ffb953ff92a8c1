import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observable } from 'rxjs';
import { from, lastValueFrom, map, of } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { BlockDecoder, DecodeOptions } from '../../src/operators/decode.ts';
import { decode, DecodeState } from '../../src/operators/decode.ts';
import type { DecodedBlock, RecordBlock } from '../../src/records.ts';
import { markBlock } from '../../src/records.ts';
import type { TelemetryEvent } from '../../src/telemetry.ts';
import { silentTelemetry } from '../../src/telemetry.ts';
import { emptyBarrier, recordBlock } from '../support/blocks.ts';

/** Reads values as numbers; what is none is rejected. */
const numberCodec: BlockDecoder = {
  decode(block, reject) {
    const values: number[] = [];
    const indexes: number[] = [];
    for (let index = 0; index < block.recordCount; index += 1) {
      const start = block.valueStarts[index]!;
      const value = Number(block.bytes.toString('utf8', start, start + block.valueLengths[index]!));
      if (Number.isNaN(value)) reject(index, 'field.type', 'no number');
      else {
        values.push(value);
        indexes.push(index);
      }
    }
    return {
      rowCount: values.length,
      recordIndexes: Int32Array.from(indexes),
      numbers: [Float64Array.from(values)],
      texts: [],
      times: [],
    };
  },
};

const options: DecodeOptions = { codec: numberCodec, onReject: () => undefined, telemetry: silentTelemetry };

function run(
  blocks: readonly RecordBlock[],
  state = new DecodeState(),
  more: Partial<DecodeOptions> = {},
): DecodedBlock[] {
  const seen: DecodedBlock[] = [];
  from(blocks)
    .pipe(decode(state, { ...options, ...more }))
    .subscribe((block) => seen.push(block));
  return seen;
}

test('decode passes empty, one, many, never, an error, and an early unsubscribe through', () => {
  const values = { a: recordBlock(['1']), b: recordBlock(['1', '2']) };
  const counts = { a: 1, b: 2 };
  new TestScheduler(assert.deepEqual).run(({ cold, expectObservable }) => {
    const through = (marbles: string): Observable<number> =>
      cold(marbles, values).pipe(
        decode(new DecodeState(), options),
        map((block) => block.rowCount),
      );
    expectObservable(through('|')).toBe('|', counts);
    expectObservable(through('-a|')).toBe('-a|', counts);
    expectObservable(through('-ab-(ab)|')).toBe('-ab-(ab)|', counts);
    expectObservable(through('-')).toBe('-', counts);
    expectObservable(through('-a#')).toBe('-a#', counts);
    expectObservable(through('-ab'), '--!').toBe('-a', counts);
  });
});

test('good records keep their offsets and timestamps; bad ones are told with their block', () => {
  const rejected: unknown[] = [];
  const block = recordBlock(['1', 'x', '3'], { partition: 2, firstOffset: 10, isScored: false });
  const [decoded] = run([block], new DecodeState(), {
    onReject: (source, index, reason, detail) => rejected.push([source === block, index, reason, detail]),
  });
  assert.deepEqual([...decoded!.numbers[0]!], [1, 3]);
  assert.deepEqual([...decoded!.offsets], [10, 12]);
  assert.deepEqual([...decoded!.timestampsMs], [0, 2000]);
  assert.deepEqual([decoded!.partition, decoded!.isScored, decoded!.source], [2, false, block]);
  assert.deepEqual(rejected, [[true, 1, 'field.type', 'no number']]);
});

test('what was read and rejected is told once a block', () => {
  const events: TelemetryEvent[] = [];
  run([recordBlock(['1', 'x', 'y'], { nextOffset: 7 }), markBlock({ isEndOfInput: true })], new DecodeState(), {
    telemetry: { emit: (event) => events.push(event) },
  });
  assert.deepEqual(events.slice(0, 2), [
    {
      type: 'recordsRead',
      topic: 'readings',
      partition: 0,
      records: 3,
      bytes: 3,
      nextOffset: 7,
      endOffset: 3,
      newestTimestampMs: 2000,
    },
    { type: 'recordsRejected', reason: 'field.type', records: 2 },
  ]);
  assert.deepEqual(
    events.map((event) => event.type),
    ['recordsRead', 'recordsRejected', 'blockDecoded'],
  );
});

test('a block without records still tells how far it goes; a mark tells nothing', () => {
  const events: TelemetryEvent[] = [];
  run([recordBlock([], { nextOffset: 9 }), markBlock({ barrier: emptyBarrier() })], new DecodeState(), {
    telemetry: { emit: (event) => events.push(event) },
  });
  assert.deepEqual(
    events.map((event) => (event.type === 'recordsRead' ? [event.records, event.nextOffset] : event.type)),
    [[0, 9]],
  );
});

test('a barrier takes counts and origins along, and a state restored from them counts on', () => {
  const barrier = emptyBarrier();
  const blocks = [
    recordBlock(['1', 'x']),
    recordBlock(['1'], { topic: 'other', partition: 3 }),
    markBlock({ barrier }),
    recordBlock(['1']),
  ];
  const seen = run(blocks);
  assert.deepEqual(
    seen.map((block) => block.originId),
    [0, 1, -1, 0],
  );
  const state = new DecodeState();
  state.restore(barrier.parts.get('decode')!);
  assert.deepEqual([state.read, state.rejected], [3, 1]);
  const [first] = run([recordBlock(['x', 'x'], { topic: 'other', partition: 3 })], state);
  assert.equal(first?.originId, 1);
  assert.deepEqual([state.read, state.rejected], [5, 3]);
});

test('what onReject throws is an error of the stream', async () => {
  const onReject = (): void => {
    throw new Error('disk full');
  };
  await assert.rejects(
    lastValueFrom(of(recordBlock(['x'])).pipe(decode(new DecodeState(), { ...options, onReject }))),
    /disk full/,
  );
});

test('a block is released through what it became', () => {
  const count = { releases: 0 };
  run([recordBlock(['1'], { count })])[0]?.release();
  assert.equal(count.releases, 1);
});
