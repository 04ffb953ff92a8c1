import type { Rows } from './learner.ts';
import { float64Array, type Arrays } from './snapshot-parts.ts';
import type { TargetFacts } from './target-facts.ts';

/** How many classes are known: the largest label learned so far plus one. Only those take part in a softmax. */
export class KnownClasses implements TargetFacts {
  #current = 0;
  #next = 0;

  /** Classes that predictions are made of. */
  get current(): number {
    return this.#current;
  }

  /** Classes that the staged step is made of. */
  get next(): number {
    return this.#next;
  }

  stage(rows: Rows, labels: Float64Array): number[] {
    this.#next = this.#current;
    for (let i = 0; i < rows.rowCount; i++) this.#next = Math.max(this.#next, labels[i]! + 1);
    return [];
  }

  commit(): void {
    this.#current = this.#next;
  }

  snapshot(): Arrays {
    return { classes: Float64Array.of(this.#current) };
  }

  restore(arrays: Arrays): void {
    this.#current = float64Array(arrays, 'classes', 1)[0]!;
    this.#next = this.#current;
  }
}
