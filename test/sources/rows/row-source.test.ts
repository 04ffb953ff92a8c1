import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concat,
  EMPTY,
  from,
  lastValueFrom,
  map,
  NEVER,
  type Observable,
  of,
  range,
  Subject,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { SourceError } from '../../../src/errors.ts';
import type { RecordBlock } from '../../../src/records.ts';
import { Credit } from '../../../src/sources/credit.ts';
import { maxWaitingRows, type Rows } from '../../../src/sources/rows/row-queue.ts';
import { rowSource } from '../../../src/sources/rows/row-source.ts';
import type { Source, SourceContext } from '../../../src/sources/source.ts';
import { silentTelemetry } from '../../../src/telemetry.ts';
import { sourceContract, type ContractRecord, type SourceHarness } from '../../contracts/source-contract.ts';
import { virtualClock } from '../../support/virtual-clock.ts';

const context = (changes: Partial<SourceContext> = {}): SourceContext => ({
  topic: 'rows',
  positions: [],
  isBounded: false,
  credit: new Credit(1 << 20),
  telemetry: silentTelemetry,
  ...changes,
});

function blocksOf(source: Source): Promise<RecordBlock[]> {
  const release = tap((block: RecordBlock) => {
    block.release();
  });
  return lastValueFrom(source.blocks.pipe(release, toArray()));
}

const read = (rows: Rows): Promise<RecordBlock[]> => blocksOf(rowSource(() => rows, context(), virtualClock(99)));

function valueOf({ bytes, valueStarts, valueLengths }: RecordBlock, index: number): string {
  const start = valueStarts[index] ?? 0;
  return bytes.toString('utf8', start, start + (valueLengths[index] ?? 0));
}

const valuesOf = (blocks: readonly RecordBlock[]): string[] =>
  blocks.flatMap((block) => Array.from({ length: block.recordCount }, (_, index) => valueOf(block, index)));

test('rows of an array, of a generator and of an Observable are the same JSON records', async () => {
  const rows = [{ a: 1.5, at: new Date(0) }, { a: NaN, b: undefined }, { a: null }];
  async function* generated(): AsyncGenerator<object> {
    yield* rows;
    await Promise.resolve();
  }
  for (const given of [rows, generated(), from(rows)]) {
    const blocks = await read(given);
    assert.deepEqual(valuesOf(blocks), ['{"a":1.5,"at":"1970-01-01T00:00:00.000Z"}', '{"a":null}', '{"a":null}']);
    assert.deepEqual([...(blocks[0]?.offsets ?? [])], [0, 1, 2]);
    assert.deepEqual([...(blocks[0]?.timestampsMs ?? [])], [99, 99, 99]);
    assert.equal(blocks.at(-1)?.isEndOfInput, true);
  }
});

test('no rows are only an end of input', async () => {
  for (const given of [[], EMPTY]) {
    const blocks = await read(given);
    assert.deepEqual(
      blocks.map(({ recordCount, isEndOfInput }) => [recordCount, isEndOfInput]),
      [[0, true]],
    );
  }
});

test('what is no JSON comes as a text that no codec takes, and never ends the stream', async () => {
  const circle: Record<string, unknown> = {};
  circle['itself'] = circle;
  const values = valuesOf(await read([{ big: 1n }, circle, (): number => 1, { a: 1 }]));
  assert.equal(values.length, 4);
  for (const text of values.slice(0, 3)) assert.throws(() => JSON.parse(text) as unknown, text);
  assert.equal(values[3], '{"a":1}');
});

test('the program is asked once for the rows behind the position, whatever other topics say', async () => {
  const asked: number[] = [];
  const position = (topic: string, nextOffset: number) => ({ topic, partition: 0, nextOffset, epoch: 0 });
  const given = context({ positions: [position('other', 3), position('rows', 7)] });
  const rows = (offset: number): Rows => {
    asked.push(offset);
    return [{}];
  };
  const [block] = await blocksOf(rowSource(rows, given));
  assert.deepEqual(asked, [7]);
  assert.deepEqual([block?.offsets[0], block?.nextOffset], [7, 8]);
});

test('an error of the rows ends the source behind the rows before it', async () => {
  const received: RecordBlock[] = [];
  const rows = concat(
    of({ a: 1 }),
    throwError(() => new Error('the bus is gone')),
  );
  const source = rowSource(() => rows, context());
  const isTold = (error: unknown): boolean =>
    error instanceof SourceError && error.code === 'source.crashed' && error.message.includes('the bus is gone');
  await assert.rejects(lastValueFrom(source.blocks.pipe(tap((block) => received.push(block)))), isTold);
  assert.deepEqual(valuesOf(received), ['{"a":1}']);
});

test('an Observable may be ahead by a bounded number of rows', async () => {
  const numbered = (count: number): Observable<object> => range(0, count).pipe(map((number) => ({ number })));
  const withinLimit = await read(numbered(maxWaitingRows));
  assert.equal(valuesOf(withinLimit).length, maxWaitingRows);
  const isOverflow = (error: unknown): boolean => error instanceof SourceError && error.code === 'source.overflow';
  await assert.rejects(read(numbered(maxWaitingRows + 1)), isOverflow);
});

test('close lets go of an Observable that never ends, and asks a generator to end', async () => {
  const subject = new Subject<object>();
  const live = rowSource(() => subject, context());
  const ended = blocksOf(live);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(subject.observed, true);
  await live.close();
  assert.deepEqual(valuesOf(await ended.catch(() => [])), []);
  assert.equal(subject.observed, false);

  let isReturned = false;
  const endless = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false as const, value: {} }),
      return: () => {
        isReturned = true;
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
  const followed = rowSource(() => endless, context({ credit: new Credit(1) }));
  const first = new Promise((resolve) => followed.blocks.subscribe({ next: resolve }));
  await first;
  await followed.close();
  assert.equal(isReturned, true);
});

test('an unsubscription lets go of the rows', async () => {
  const subject = new Subject<object>();
  const subscription = rowSource(() => subject, context()).blocks.subscribe();
  await new Promise((resolve) => setImmediate(resolve));
  subscription.unsubscribe();
  assert.equal(subject.observed, false);
  rowSource(() => NEVER, context())
    .blocks.subscribe()
    .unsubscribe();
});

/** A stream that grows, given as what `given` makes of a generator over it. */
function harness(given: (rows: AsyncGenerator<object>) => Rows): SourceHarness {
  const written: object[] = [];
  let isOver = false;
  async function* following(offset: number, isBounded: boolean): AsyncGenerator<object> {
    for (let at = offset; at < written.length || !isBounded; at += 1) {
      while (at >= written.length && !isOver) await new Promise((resolve) => setImmediate(resolve));
      if (isOver) return;
      yield written[at] ?? {};
    }
  }
  return {
    topic: 'rows',
    partitionCount: 1,
    canFollow: true,
    write: (records: readonly ContractRecord[]) => {
      written.push(...records.map(({ value }) => ({ value })));
      return Promise.resolve();
    },
    make: ({ positions, creditBytes, isBounded }) =>
      rowSource(
        (offset) => given(following(offset, isBounded)),
        context({ positions, credit: new Credit(creditBytes) }),
      ),
    readValue: (block, index) => (JSON.parse(valueOf(block, index)) as { value: string }).value,
    cleanup: () => {
      isOver = true;
      return Promise.resolve();
    },
  };
}

sourceContract('rowSource of a generator', () => Promise.resolve(harness((rows) => rows)));
sourceContract('rowSource of an Observable', () => Promise.resolve(harness((rows) => from(rows))));
