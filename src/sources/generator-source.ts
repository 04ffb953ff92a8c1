import { defer, finalize, from } from 'rxjs';
import type { RecordBlock } from '../records.ts';
import type { Source } from './source.ts';

/**
 * A source of what a generator yields, for input that nobody commits to. `close` and the end of the subscription abort the signal,
 * at which the generator returns.
 */
export function generatorSource(blocks: (signal: AbortSignal) => AsyncGenerator<RecordBlock>): Source {
  const abort = new AbortController();
  return {
    blocks: defer(() => from(blocks(abort.signal))).pipe(
      finalize(() => {
        abort.abort();
      }),
    ),
    commit: () => Promise.resolve(),
    close: () => {
      abort.abort();
      return Promise.resolve();
    },
  };
}
