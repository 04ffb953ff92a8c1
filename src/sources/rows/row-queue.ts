import { setImmediate as nextTurn } from 'node:timers/promises';
import { Observable } from 'rxjs';
import { SourceError, messageOf } from '../../errors.ts';
import { maxBlockRecords } from '../source.ts';

/** Rows of a program: plain objects, one a record. */
export type Rows = Observable<object> | AsyncIterable<object> | Iterable<object>;

/** Rows of an Observable that may wait to be read. */
export const maxWaitingRows = 100_000;

/** Rows that wait between whoever gives them and whoever reads them, bounded. */
export class RowQueue {
  #waiting: object[] = [];
  #isEnded = false;
  #failure: SourceError | null = null;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;
  readonly #signal: AbortSignal;

  /** Begins to take rows; ends, and lets go of whoever gives them, when `signal` aborts. */
  constructor(rows: Rows, signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.#end(null);
      this.#wakeWriter();
    });
    if (rows instanceof Observable) this.#follow(rows);
    else void this.#pull(rows);
  }

  /**
   * The rows that wait, at most a block of them; resolves with none when all were read.
   * @throws SourceError where the rows ended with an error, or an Observable was faster than the pipeline for too long.
   */
  async take(): Promise<readonly object[]> {
    while (this.#waiting.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
    // Rows that come one by one in the same turn of the event loop make one block.
    if (this.#waiting.length < maxBlockRecords && !this.#isEnded) await nextTurn();
    const taken = this.#waiting.splice(0, maxBlockRecords);
    this.#wakeWriter();
    if (taken.length === 0 && this.#failure !== null) throw this.#failure;
    return taken;
  }

  /** An Observable cannot be asked to wait. */
  #follow(rows: Observable<object>): void {
    const subscription = rows.subscribe({
      next: (row) => {
        if (this.#isEnded) return;
        this.#put(row);
        if (this.#waiting.length <= maxWaitingRows) return;
        this.#end(tooFast());
        // Not set yet where all rows came while subscribing.
        queueMicrotask(() => {
          subscription.unsubscribe();
        });
      },
      error: (error: unknown) => {
        this.#end(failed(error));
      },
      complete: () => {
        this.#end(null);
      },
    });
    this.#signal.addEventListener('abort', () => {
      subscription.unsubscribe();
    });
  }

  /** Reads ahead by one block at the most. */
  async #pull(rows: AsyncIterable<object> | Iterable<object>): Promise<void> {
    const iterator: AsyncIterator<object, unknown> | Iterator<object, unknown> =
      Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
    this.#signal.addEventListener('abort', () => void iterator.return?.());
    try {
      for (;;) {
        const { done, value: row } = await iterator.next();
        if (done === true || this.#isEnded) break;
        this.#put(row);
        while (this.#waiting.length >= maxBlockRecords && !this.#signal.aborted) {
          await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
        }
      }
      this.#end(null);
    } catch (error) {
      this.#end(failed(error));
    }
  }

  #put(row: object): void {
    this.#waiting.push(row);
    this.#wakeReader();
  }

  #end(failure: SourceError | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    this.#wakeReader();
  }
}

function failed(error: unknown): SourceError {
  return new SourceError('source.crashed', `the rows of the program ended with an error: ${messageOf(error)}`, {
    cause: error,
  });
}

function tooFast(): SourceError {
  return new SourceError(
    'source.overflow',
    `more than ${maxWaitingRows} rows of an Observable wait to be learned, and it cannot be asked to wait; ` +
      'give rows as an async iterable, or sample or window them before',
  );
}
