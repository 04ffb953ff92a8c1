import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { lastValueFrom, tap, toArray } from 'rxjs';
import type { Clock } from '../../../src/clock.ts';
import { ConfigError, SourceError } from '../../../src/errors.ts';
import type { RecordBlock } from '../../../src/records.ts';
import { Credit } from '../../../src/sources/credit.ts';
import { csvSource, type CsvSourceOptions } from '../../../src/sources/csv/csv-source.ts';
import { maxBlockRecords } from '../../../src/sources/source.ts';
import { sourceContract } from '../../contracts/source-contract.ts';
import { virtualClock } from '../../support/virtual-clock.ts';
import { silentTelemetry, type TelemetryEvent } from '../../../src/telemetry.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-source-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `${from + index},${(from + index) * 2}\n`).join('');

function options(files: string, changes: Partial<CsvSourceOptions> = {}): CsvSourceOptions {
  return {
    files,
    speed: 'max',
    timeField: null,
    epochs: 1,
    positions: [],
    credit: new Credit(1 << 20),
    maxRecordBytes: 1 << 16,
    ...changes,
  };
}

function at(files: string, nextOffset: number): CsvSourceOptions['positions'] {
  return [{ topic: files.slice(files.lastIndexOf('/') + 1), partition: 0, nextOffset, epoch: 0 }];
}

function read(given: CsvSourceOptions, clock?: Clock): Promise<RecordBlock[]> {
  const source = csvSource(given, silentTelemetry, clock);
  return lastValueFrom(
    source.blocks.pipe(
      tap((block) => {
        block.release();
      }),
      toArray(),
    ),
  );
}

const offsets = (blocks: readonly RecordBlock[]): number[] => blocks.flatMap((block) => [...block.offsets]);
const firstCells = (blocks: readonly RecordBlock[]): (string | undefined)[] =>
  blocks.flatMap((block) => (block.cells ?? []).map((cells) => cells[0]));

suite('csvSource', () => {
  test('reads the files of a glob in name order as one partition and ends with an empty block', async () => {
    file('glob-1.csv', `a,b\n${rows(0, 3)}`);
    file('glob-2.csv', `a,b\n${rows(3, 5)}`);
    const blocks = await read(options(join(folder, 'glob-*.csv')));
    assert.deepEqual(offsets(blocks), [0, 1, 2, 3, 4]);
    assert.deepEqual(firstCells(blocks), ['0', '1', '2', '3', '4']);
    const last = blocks.at(-1);
    assert.deepEqual([last?.recordCount, last?.isEndOfInput, last?.nextOffset, last?.endOffset], [0, true, 5, 5]);
    assert.ok(blocks.slice(0, -1).every((block) => !block.isEndOfInput && block.topic === 'glob-*.csv'));
  });

  test('makes no block larger than the limit', async () => {
    const blocks = await read(options(file('large.csv', `a,b\n${rows(0, 20_000)}`)));
    assert.equal(offsets(blocks).length, 20_000);
    assert.ok(blocks.every((block) => block.recordCount <= maxBlockRecords));
    assert.ok(blocks.some((block) => block.recordCount === maxBlockRecords));
  });

  test('counts rows on through later passes, which are not scored', async () => {
    const blocks = await read(options(file('epochs.csv', `a,b\n${rows(0, 3)}`), { epochs: 3 }));
    assert.deepEqual(offsets(blocks), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(firstCells(blocks), ['0', '1', '2', '0', '1', '2', '0', '1', '2']);
    for (const block of blocks.slice(0, -1)) {
      const pass = Math.floor(block.offsets[0]! / 3);
      assert.deepEqual([block.epoch, block.isScored, block.endOffset], [pass, pass === 0, pass === 0 ? -1 : 9]);
    }
  });

  test('goes on at any position, in the first or a later pass', async () => {
    const path = file('resume.csv', `a,b\n${rows(0, 4)}`);
    const all = await read(options(path, { epochs: 3 }));
    for (let start = 0; start <= 12; start++) {
      const blocks = await read(options(path, { epochs: 3, positions: at(path, start) }));
      assert.deepEqual(offsets(blocks), offsets(all).slice(start), `from ${start}`);
      assert.deepEqual(firstCells(blocks), firstCells(all).slice(start), `from ${start}`);
      assert.equal(blocks.at(-1)?.isEndOfInput, true);
      assert.equal(blocks.at(-1)?.nextOffset, 12);
      const epochs = blocks.flatMap((block) => [...block.offsets].map(() => block.epoch));
      assert.deepEqual(
        epochs,
        offsets(blocks).map((offset) => Math.floor(offset / 4)),
      );
    }
  });

  test('refuses a position behind the end', async () => {
    const path = file('short.csv', `a,b\n${rows(0, 4)}`);
    await assert.rejects(read(options(path, { epochs: 2, positions: at(path, 9) })), (error) => {
      assert.ok(error instanceof SourceError);
      assert.equal(error.code, 'source.outOfRange');
      assert.match(error.message, /ends at row 8/);
      return true;
    });
  });

  test('hands on what is not CSV as a record without cells, in its place', async () => {
    const blocks = await read(
      options(file('bad.csv', `a,b\n1,2\n3,"4"x\n5,6\n${'7'.repeat(100)},8\n9,10\n`), { maxRecordBytes: 32 }),
    );
    const cells = blocks.flatMap((block) => block.cells ?? []);
    assert.deepEqual(cells, [['1', '2'], [], ['5', '6'], [], ['9', '10']]);
    const [block] = blocks;
    const value = (index: number): string =>
      block?.bytes.toString('utf8', block.valueStarts[index], block.valueStarts[index]! + block.valueLengths[index]!) ??
      '';
    assert.equal(value(1), '3,"4"x');
    assert.equal(value(3), '7'.repeat(32));
  });

  test('a file with a header only, and one more pass over it, end at once', async () => {
    const blocks = await read(options(file('none.csv', 'a,b\n'), { epochs: 2 }));
    assert.deepEqual(
      blocks.map((block) => [block.recordCount, block.isEndOfInput, block.nextOffset]),
      [[0, true, 0]],
    );
  });

  test('refuses a missing file, a file without a header, and files of different headers', async () => {
    await assert.rejects(read(options(join(folder, 'gone.csv'))), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.code, 'config.missing');
      return true;
    });
    await assert.rejects(read(options(file('empty.csv', ''))), /must name each column once/);
    file('mixed-1.csv', 'a,b\n1,2\n');
    file('mixed-2.csv', 'a,c\n1,2\n');
    await assert.rejects(read(options(join(folder, 'mixed-*.csv'))), /mixed-2\.csv has the columns a, c/);
  });

  test('plays at a multiple of event time, row by row', async () => {
    const path = file(
      'pace.csv',
      'v,t\n1,2013-01-01T00:00:00Z\n2,2013-01-01T01:00:00Z\n3,2013-01-01T01:00:00Z\n4,NA\n5,2013-01-01T03:00:00Z\n',
    );
    const clock = virtualClock(10_000);
    const blocks = await read(options(path, { speed: 3600, timeField: 't' }), clock);
    assert.deepEqual(clock.waits, [11_000, 13_000]);
    assert.deepEqual(
      blocks.slice(0, -1).map((block) => [...block.timestampsMs]),
      [[10_000], [11_000, 11_000, 11_000], [13_000]],
    );
  });

  test('refuses a speed without a time column', async () => {
    const path = file('timeless.csv', 'a,b\n1,2\n');
    await assert.rejects(
      read(options(path, { speed: 2, timeField: 't' })),
      /source\.csv\.speed: 2 needs a time column/,
    );
  });

  test('reads nothing more while the credit is used up', async () => {
    const path = file('credit.csv', `a,b\n${rows(0, 10_000)}`);
    const source = csvSource(options(path, { credit: new Credit(1) }), silentTelemetry);
    const held: RecordBlock[] = [];
    let mostHeld = 0;
    const done = lastValueFrom(
      source.blocks.pipe(
        tap((block) => {
          held.push(block);
          mostHeld = Math.max(mostHeld, held.length);
          setImmediate(() => {
            held.shift()?.release();
          });
        }),
        toArray(),
      ),
    );
    assert.equal(offsets(await done).length, 10_000);
    // The last block and the empty one that ends the input.
    assert.ok(mostHeld <= 2, `${mostHeld} blocks were held at once`);
  });

  test('completes without the last block after close, even while it waits', async () => {
    const path = file('close.csv', 'v,t\n1,2013-01-01T00:00:00Z\n2,2013-01-01T01:00:00Z\n');
    const source = csvSource(options(path, { speed: 1, timeField: 't' }), silentTelemetry);
    const blocks = await lastValueFrom(
      source.blocks.pipe(
        tap(() => {
          void source.close();
        }),
        toArray(),
      ),
    );
    assert.deepEqual(
      blocks.map((block) => [block.recordCount, block.isEndOfInput]),
      [[1, false]],
    );
    await source.commit([]);
  });

  test('stops reading when nobody listens any more', async () => {
    const path = file('leave.csv', `a,b\n${rows(0, 5000)}`);
    const source = csvSource(options(path, { credit: new Credit(1) }), silentTelemetry);
    await new Promise<void>((resolve) => {
      const subscription = source.blocks.subscribe(() => {
        setImmediate(() => {
          subscription.unsubscribe();
          resolve();
        });
      });
    });
  });

  test('tells of joining', async () => {
    const events: TelemetryEvent[] = [];
    const path = file('told.csv', `a,b\n${rows(0, 3)}`);
    const telemetry = { emit: (event: TelemetryEvent) => void events.push(event) };
    await lastValueFrom(csvSource(options(path), telemetry, virtualClock(7)).blocks);
    assert.deepEqual(events, [{ type: 'sourceJoined' }]);
  });
});

let contractCases = 0;

sourceContract('csvSource', () => {
  const name = `contract-${contractCases++}.csv`;
  const path = join(folder, name);
  return Promise.resolve({
    topic: name,
    partitionCount: 1,
    canFollow: false,
    write: (records) => {
      writeFileSync(path, `value,time\n${records.map((record) => `${record.value},${record.timestampMs}\n`).join('')}`);
      return Promise.resolve();
    },
    make: ({ positions, creditBytes }) =>
      csvSource(options(path, { positions, credit: new Credit(creditBytes) }), silentTelemetry),
    readValue: (block, index) => block.cells?.[index]?.[0] ?? '',
    cleanup: () => Promise.resolve(),
  });
});
