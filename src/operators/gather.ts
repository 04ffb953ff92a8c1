import type { Observable } from 'rxjs';

export interface GatherOptions<T> {
  /** What one value counts, 0 or more. */
  readonly weigh: (value: T) => number;
  /** Values that count more than this together are not gathered; a single one may. */
  readonly most: number;
}

/**
 * Yields what has come while the consumer was busy, oldest first and up to `most`; waits while nothing has. Ends or fails with
 * the source, when what came before has been yielded; returning unsubscribes. What piles up here is bounded by whatever
 * bounds the source.
 */
export async function* gather<T>(
  values: Observable<T>,
  { weigh, most }: GatherOptions<T>,
): AsyncGenerator<readonly T[], void, undefined> {
  const waiting: T[] = [];
  const state: { end: { readonly error?: unknown } | null } = { end: null };
  let wake = (): void => undefined;
  const finish = (end: { readonly error?: unknown }): void => {
    state.end = end;
    wake();
  };
  const subscription = values.subscribe({
    next: (value) => {
      waiting.push(value);
      wake();
    },
    error: (error: unknown) => {
      finish({ error });
    },
    complete: () => {
      finish({});
    },
  });
  try {
    while (waiting.length > 0 || state.end === null) {
      if (waiting.length > 0) yield waiting.splice(0, countWithin(waiting, weigh, most));
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    if ('error' in state.end) throw state.end.error;
  } finally {
    subscription.unsubscribe();
  }
}

/** How many values, from the first on, count no more than `most`; at least one. */
function countWithin<T>(values: readonly T[], weigh: (value: T) => number, most: number): number {
  let weight = 0;
  const beyond = values.findIndex((value) => (weight += weigh(value)) > most);
  return beyond < 0 ? values.length : Math.max(1, beyond);
}
