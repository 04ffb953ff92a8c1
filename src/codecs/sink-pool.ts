import type { DecodedColumns, FieldPlan } from '../records.ts';
import { RowSink } from './row-sink.ts';

/**
 * Gives a codec a sink for each block: one whose columns came back, else a new one. Keeps a single free one, since `derive`
 * gives the columns of a block back before the next is decoded; whoever keeps them longer just leaves them to the collector.
 */
export class SinkPool {
  readonly #plan: FieldPlan;
  #free: RowSink | null = null;

  constructor(plan: FieldPlan) {
    this.#plan = plan;
  }

  /** An empty sink for at most so many rows. */
  take(rows: number): RowSink {
    const free = this.#free;
    this.#free = null;
    return free !== null && free.capacity >= rows ? free : new RowSink(this.#plan, rows);
  }

  /** The rows of a sink that was taken from here; their `recycle` brings the sink back. */
  lend(sink: RowSink): DecodedColumns {
    let isLent = true;
    return {
      ...sink.columns(),
      recycle: () => {
        if (!isLent) return;
        isLent = false;
        sink.clear();
        this.#free = sink;
      },
    };
  }
}
