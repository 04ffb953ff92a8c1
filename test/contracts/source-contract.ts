import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Subscription } from 'rxjs';
import type { Position, RecordBlock } from '../../src/records.ts';
import { maxBlockRecords, type Source } from '../../src/sources/source.ts';

/** A record that a harness puts into the stream; values are short plain text without separators or quotes. */
export interface ContractRecord {
  readonly partition: number;
  readonly value: string;
  readonly timestampMs: number;
}

export interface ContractSourceOptions {
  readonly positions: readonly Position[];
  readonly creditBytes: number;
  /** True to end with what is there now. */
  readonly isBounded: boolean;
}

/** A fresh stream of one topic, and sources over it. */
export interface SourceHarness {
  readonly topic: string;
  /** How many partitions the stream has, at least one. */
  readonly partitionCount: number;
  /** False for sources that only read what is there (files). */
  readonly canFollow: boolean;
  /** Appends the records in order, each to its partition. */
  write(records: readonly ContractRecord[]): Promise<void>;
  /** A source over the stream that starts at its beginning where `positions` is empty. */
  make(options: ContractSourceOptions): Source | Promise<Source>;
  /** The value of a record as it was written; by default the record's bytes. */
  readValue?(block: RecordBlock, index: number): string;
  cleanup(): Promise<void>;
}

const plenty = 1 << 30;
const startMs = 1_700_000_000_000;
/** No contract case takes longer than this, even against a real server. */
const timeoutMs = 30_000;

/** Records numbered from `first` on, dealt out over the partitions. */
export function contractRecords(partitionCount: number, count: number, first = 0): ContractRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    return { partition: number % partitionCount, value: `record-${number}`, timestampMs: startMs + number };
  });
}

/** What was received of a source, and how it ended. */
class Reception {
  readonly blocks: RecordBlock[] = [];
  isComplete = false;
  error: unknown = null;
  readonly subscription: Subscription;
  readonly #onBlock: (block: RecordBlock) => void;
  #onChange: () => void = () => undefined;

  constructor(source: Source, onBlock: (block: RecordBlock) => void = release) {
    this.#onBlock = onBlock;
    this.subscription = source.blocks.subscribe({
      next: (block) => {
        this.blocks.push(block);
        this.#onBlock(block);
        this.#onChange();
      },
      error: (error: unknown) => {
        this.error = error;
        this.#onChange();
      },
      complete: () => {
        this.isComplete = true;
        this.#onChange();
      },
    });
  }

  get recordCount(): number {
    return this.blocks.reduce((sum, block) => sum + block.recordCount, 0);
  }

  /** Resolves when the condition holds; looks after every block and at the end. */
  async until(what: string, condition: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${what}: not within ${timeoutMs} ms (${this.recordCount} records)`));
      }, timeoutMs);
      this.#onChange = () => {
        if (condition()) resolve();
        else if (this.error !== null) reject(this.error instanceof Error ? this.error : new Error('not an error'));
        else if (this.isComplete) reject(new Error(`${what}: the source completed before`));
      };
      this.#onChange();
    }).finally(() => {
      clearTimeout(timer);
    });
  }

  async untilComplete(): Promise<void> {
    await this.until('completion', () => this.isComplete);
  }
}

function release(block: RecordBlock): void {
  block.release();
}

function textOf(block: RecordBlock, index: number): string {
  const start = block.valueStarts[index] ?? 0;
  return block.bytes.toString('utf8', start, start + (block.valueLengths[index] ?? 0));
}

function byPartition(harness: SourceHarness, blocks: readonly RecordBlock[]): string[][] {
  const values: string[][] = Array.from({ length: harness.partitionCount }, () => []);
  for (const block of blocks) {
    for (let index = 0; index < block.recordCount; index += 1) {
      values[block.partition]?.push((harness.readValue ?? textOf)(block, index));
    }
  }
  return values;
}

function expectedByPartition(harness: SourceHarness, records: readonly ContractRecord[]): string[][] {
  return Array.from({ length: harness.partitionCount }, (_, partition) =>
    records.filter((record) => record.partition === partition).map((record) => record.value),
  );
}

/** The ends of the blocks, as a checkpoint takes them. */
function positionsAfter(blocks: readonly RecordBlock[]): Position[] {
  const positions = new Map<number, Position>();
  for (const { topic, partition, nextOffset, epoch } of blocks) {
    positions.set(partition, { topic, partition, nextOffset, epoch });
  }
  return [...positions.values()];
}

function checkBlockShape(block: RecordBlock, topic: string): void {
  const { recordCount } = block;
  assert.equal(block.topic, topic);
  assert.ok(recordCount <= maxBlockRecords, `${recordCount} records in a block`);
  const columns = [block.valueStarts, block.valueLengths, block.keyStarts, block.keyLengths];
  for (const column of [...columns, block.offsets, block.timestampsMs]) assert.equal(column.length, recordCount);
  assert.equal(block.barrier, null);
  for (let index = 0; index < recordCount; index += 1) {
    assert.ok(Array.isArray(block.headers(index)));
    const end = (block.valueStarts[index] ?? 0) + Math.max(0, block.valueLengths[index] ?? 0);
    assert.ok(end <= block.bytes.length);
  }
}

/**
 * What every source promises (`Source` in src/sources/source.ts). `makeHarness` gives each case a stream of its own.
 */
export function sourceContract(name: string, makeHarness: () => Promise<SourceHarness>): void {
  const check = (title: string, run: (harness: SourceHarness) => Promise<void>): void => {
    test(title, { timeout: 2 * timeoutMs }, async (context) => {
      const harness = await makeHarness();
      context.after(() => harness.cleanup());
      await run(harness);
    });
  };
  const bounded = { positions: [], creditBytes: plenty, isBounded: true };

  describe(`${name} keeps the source contract`, () => {
    check('bounded input comes whole, in order per partition, and ends with an end-of-input block', async (harness) => {
      const records = contractRecords(harness.partitionCount, 5000);
      await harness.write(records);
      const received = new Reception(await harness.make(bounded));
      await received.untilComplete();
      assert.deepEqual(byPartition(harness, received.blocks), expectedByPartition(harness, records));
      assert.deepEqual(
        received.blocks.map((block) => block.isEndOfInput),
        received.blocks.map((_, index) => index === received.blocks.length - 1),
      );
      assert.equal(received.blocks.at(-1)?.recordCount, 0);
      assert.ok(received.blocks.every((block) => block.isScored));
    });

    check(
      'blocks have full columns, few records, ascending offsets and a next offset that covers them',
      async (harness) => {
        await harness.write(contractRecords(harness.partitionCount, 4000));
        const received = new Reception(await harness.make(bounded));
        await received.untilComplete();
        const nextOffsets = new Map<number, number>();
        for (const block of received.blocks) {
          checkBlockShape(block, harness.topic);
          let next = nextOffsets.get(block.partition) ?? 0;
          for (const offset of block.offsets) {
            assert.ok(offset >= next, `offset ${offset} after ${next}`);
            next = offset + 1;
          }
          assert.ok(block.nextOffset >= next);
          nextOffsets.set(block.partition, block.nextOffset);
        }
      },
    );

    check('reading resumes at the end of any block without loss or repetition', async (harness) => {
      const records = contractRecords(harness.partitionCount, 6000);
      await harness.write(records);
      const whole = new Reception(await harness.make(bounded));
      await whole.untilComplete();
      const data = whole.blocks.filter((block) => block.recordCount > 0);
      const step = Math.max(1, Math.floor(data.length / 4));
      for (let cut = step; cut <= data.length; cut += step) {
        const before = data.slice(0, cut);
        const after = new Reception(await harness.make({ ...bounded, positions: positionsAfter(before) }));
        await after.untilComplete();
        const joined = [...before, ...after.blocks];
        assert.deepEqual(byPartition(harness, joined), expectedByPartition(harness, records));
      }
    });

    check('without credit nothing more comes, and it goes on when blocks are released', async (harness) => {
      const records = contractRecords(harness.partitionCount, 20_000);
      await harness.write(records);
      const held: RecordBlock[] = [];
      const received = new Reception(await harness.make({ ...bounded, creditBytes: 1 }), (block) => {
        held.push(block);
      });
      let released = 0;
      while (!received.isComplete) {
        await received.until('the next block', () => received.isComplete || held.length > released);
        await new Promise((resolve) => setImmediate(resolve));
        const withRecords = held.slice(released).filter((block) => block.recordCount > 0);
        // A credit of one byte is used up by any block, so at most one with records is ever unreleased.
        assert.ok(withRecords.length <= 1, `${withRecords.length} unreleased blocks`);
        const due = held.slice(released);
        released = held.length;
        due.forEach(release);
        // Released twice is released once.
        due.forEach(release);
      }
      assert.deepEqual(byPartition(harness, received.blocks), expectedByPartition(harness, records));
    });

    check('close completes the stream without an end-of-input block', async (harness) => {
      await harness.write(contractRecords(harness.partitionCount, 20_000));
      const source = await harness.make({ ...bounded, creditBytes: 1 });
      const received = new Reception(source, () => undefined);
      await received.until('a first block', () => received.recordCount > 0);
      await source.close();
      await received.untilComplete();
      assert.ok(received.blocks.every((block) => !block.isEndOfInput));
    });

    check('nothing comes after an unsubscription', async (harness) => {
      await harness.write(contractRecords(harness.partitionCount, 20_000));
      const source = await harness.make({ ...bounded, creditBytes: 1 });
      const received = new Reception(source, () => undefined);
      await received.until('a first block', () => received.recordCount > 0);
      received.subscription.unsubscribe();
      const count = received.blocks.length;
      received.blocks.forEach(release);
      await source.close();
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(received.blocks.length, count);
      assert.equal(received.isComplete, false);
    });

    check('commit and prepareCheckpoint resolve in mid-stream', async (harness) => {
      await harness.write(contractRecords(harness.partitionCount, 3000));
      const source = await harness.make({ ...bounded, creditBytes: 1 });
      const received = new Reception(source, () => undefined);
      await received.until('a first block', () => received.recordCount > 0);
      await source.prepareCheckpoint?.();
      await source.commit(positionsAfter(received.blocks));
      await source.close();
    });

    check('a source that follows shows what is written later, and completes on close', async (harness) => {
      if (!harness.canFollow) return;
      const early = contractRecords(harness.partitionCount, 100);
      const late = contractRecords(harness.partitionCount, 100, early.length);
      await harness.write(early);
      const source = await harness.make({ positions: [], creditBytes: plenty, isBounded: false });
      const received = new Reception(source);
      await received.until('the early records', () => received.recordCount === early.length);
      await harness.write(late);
      await received.until('the late records', () => received.recordCount === early.length + late.length);
      await source.close();
      await received.untilComplete();
      assert.deepEqual(byPartition(harness, received.blocks), expectedByPartition(harness, [...early, ...late]));
      assert.ok(received.blocks.every((block) => !block.isEndOfInput));
    });
  });
}
