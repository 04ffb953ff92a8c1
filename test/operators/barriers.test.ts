import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observable } from 'rxjs';
import { from, map, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { BarrierOptions } from '../../src/operators/barriers.ts';
import { barriers } from '../../src/operators/barriers.ts';
import type { RecordBlock } from '../../src/records.ts';
import { markBlock } from '../../src/records.ts';
import { recordBlock } from '../support/blocks.ts';

const never: BarrierOptions = { positions: [], everyMs: null, everyRecords: null };

/** `|` and the positions of a barrier, `end`, or the offsets of a block. */
function told(block: RecordBlock): string {
  if (block.barrier !== null) {
    const positions = block.barrier.positions.map(
      ({ topic, partition, nextOffset }) => `${topic}:${partition}@${nextOffset}`,
    );
    return `|${positions.join(' ')}`;
  }
  return block.isEndOfInput ? 'end' : `${block.partition}:${[...block.offsets].join(',')}`;
}

function run(blocks: readonly RecordBlock[], options: Partial<BarrierOptions>): string[] {
  const seen: string[] = [];
  from(blocks)
    .pipe(barriers({ ...never, ...options }))
    .subscribe((block) => seen.push(told(block)));
  return seen;
}

test('by time a barrier comes only where something passed, and one when the source completes', () => {
  new TestScheduler(assert.deepEqual).run(({ cold, expectObservable }) => {
    const a = recordBlock(['x']);
    const through = (marbles: string, everyMs: number | null): Observable<string> =>
      cold(marbles, { a }).pipe(
        barriers({ ...never, everyMs }),
        map((block) => (block.barrier === null ? 'a' : 'b')),
      );
    expectObservable(through('|', null)).toBe('(b|)');
    expectObservable(through('-', null), '100ms !').toBe('-');
    expectObservable(through('a-a 20ms |', null)).toBe('a-a 20ms (b|)');
    expectObservable(through('-aa 30ms |', 10)).toBe('-aa 7ms b 22ms (b|)');
    expectObservable(through('-a 11ms a 9ms #', 10)).toBe('-a 8ms b 2ms a 6ms b 2ms #');
    expectObservable(through('-a 50ms a', 10), '5ms !').toBe('-a');
  });
});

test('a barrier says how far each partition has passed, control records included', () => {
  const blocks = [
    recordBlock(['x', 'x'], { partition: 1, firstOffset: 7 }),
    recordBlock(['x'], { topic: 'other' }),
    recordBlock([], { partition: 1, nextOffset: 12 }),
    markBlock({ isEndOfInput: true }),
  ];
  const positions = [
    { topic: 'readings', partition: 0, nextOffset: 5, epoch: 0 },
    { topic: 'readings', partition: 1, nextOffset: 7, epoch: 0 },
  ];
  assert.deepEqual(run(blocks, { positions }), ['1:7,8', '0:0', '1:', 'end', '|readings:0@5 readings:1@12 other:0@1']);
});

test('by records a barrier comes after exactly so many, though blocks are cut for it', () => {
  const blocks = [recordBlock(['x', 'x']), recordBlock(['x', 'x', 'x', 'x', 'x'], { firstOffset: 2, nextOffset: 9 })];
  assert.deepEqual(run(blocks, { everyRecords: 3 }), [
    '0:0,1',
    '0:2',
    '|readings:0@3',
    '0:3,4,5',
    '|readings:0@6',
    '0:6',
    '|readings:0@9',
  ]);
  assert.deepEqual(run([recordBlock(['x', 'x', 'x'])], { everyRecords: 3 }), [
    '0:0,1,2',
    '|readings:0@3',
    '|readings:0@3',
  ]);
});

test('positions of an earlier barrier do not move with the stream', () => {
  const source = new Subject<RecordBlock>();
  const seen: RecordBlock[] = [];
  source.pipe(barriers({ ...never, everyRecords: 1 })).subscribe((block) => seen.push(block));
  source.next(recordBlock(['x']));
  source.next(recordBlock(['x'], { firstOffset: 1 }));
  assert.deepEqual(seen.filter((block) => block.barrier !== null).map(told), ['|readings:0@1', '|readings:0@2']);
});

test('each subscription begins at the given positions', () => {
  const operator = barriers(never);
  for (let time = 0; time < 2; time += 1) {
    const seen: string[] = [];
    from([recordBlock([], { topic: `t${time}`, nextOffset: 1 })])
      .pipe(operator)
      .subscribe((block) => seen.push(told(block)));
    assert.equal(seen.at(-1), `|t${time}:0@1`);
  }
});
