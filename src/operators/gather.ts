import type { Observable } from 'rxjs';

/**
 * Yields what has come while the consumer was busy, at most `most` at a time, oldest first; waits while nothing has.
 * Ends and fails with the source, when what came before has been yielded; returning unsubscribes. What piles up here is
 * bounded by whatever bounds the source.
 */
export async function* gather<T>(values: Observable<T>, most: number): AsyncGenerator<readonly T[], void, undefined> {
  const waiting: T[] = [];
  let ending: { readonly error: unknown } | 'complete' | null = null;
  let wake = (): void => undefined;
  const subscription = values.subscribe({
    next: (value) => {
      waiting.push(value);
      wake();
    },
    error: (error: unknown) => {
      ending = { error };
      wake();
    },
    complete: () => {
      ending = 'complete';
      wake();
    },
  });
  const endingNow = (): typeof ending => ending;
  try {
    for (;;) {
      if (waiting.length > 0) yield waiting.splice(0, most);
      else if (endingNow() === null) await new Promise<void>((resolve) => (wake = resolve));
      else break;
    }
    const end = endingNow();
    if (end !== null && end !== 'complete') throw end.error;
  } finally {
    subscription.unsubscribe();
  }
}
