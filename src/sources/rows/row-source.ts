import { inspect } from 'node:util';
import { wallClock, type Clock } from '../../clock.ts';
import type { RecordBlock } from '../../records.ts';
import { generatorSource } from '../generator-source.ts';
import type { Source, SourceContext } from '../source.ts';
import { valueBlock } from '../value-block.ts';
import { RowQueue, type Rows } from './row-queue.ts';

/**
 * Rows that a program has, as a source of JSON records: partition 0, offset = number of the row, timestamp = time of reading.
 * The input is bounded where the rows end. An iterable is read as fast as rows are learned; an Observable cannot wait, so
 * 100,000 rows of it may, and one more is an error.
 *
 * A row is written by `JSON.stringify`: a `Date` is a time, NaN and undefined are missing. What cannot be written so goes to
 * the dead letters.
 * @param rows called once, with the offset to go on from: give the rows from there on, so that none is learned twice.
 * @throws (in `blocks`) SourceError `source.crashed` where the rows end with an error, `source.overflow` as above.
 * @example
 * startPipeline({ config, source: (context) => rowSource((offset) => readings.slice(offset), context) });
 */
export function rowSource(
  rows: (nextOffset: number) => Rows,
  context: Pick<SourceContext, 'topic' | 'positions' | 'credit' | 'telemetry'>,
  clock: Clock = wallClock,
): Source {
  return generatorSource((signal) => blocksOf(rows, context, clock, signal));
}

async function* blocksOf(
  rows: Parameters<typeof rowSource>[0],
  { topic, positions, credit, telemetry }: Parameters<typeof rowSource>[1],
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<RecordBlock> {
  let firstOffset = positions.find((position) => position.topic === topic)?.nextOffset ?? 0;
  const place = { topic, partition: 0, epoch: 0, endOffset: -1 };
  const queue = new RowQueue(rows(firstOffset), signal);
  telemetry.emit({ type: 'sourceJoined' });
  for (;;) {
    await credit.available(signal);
    const values = (await queue.take()).map(textOf);
    if (signal.aborted) return;
    const block = valueBlock(values, { ...place, firstOffset, nowMs: clock.now() }, (bytes) => credit.take(bytes));
    const isEndOfInput = values.length === 0;
    yield { ...block, isEndOfInput };
    if (isEndOfInput) return;
    firstOffset = block.nextOffset;
  }
}

/** The row as JSON; where it has none, a text for human eyes, which the codec rejects. */
function textOf(row: object): Buffer {
  try {
    // A function or a symbol has none, whatever the type says.
    return Buffer.from((JSON.stringify(row) as string | undefined) ?? inspect(row));
  } catch {
    return Buffer.from(inspect(row));
  }
}
