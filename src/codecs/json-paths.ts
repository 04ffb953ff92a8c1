import type { FieldPlan } from '../records.ts';
import type { PutValue } from './row-sink.ts';

/** A wanted field of a JSON object: where it stands there, and the column it goes to. */
export interface WantedPath {
  readonly name: string;
  readonly segments: readonly string[];
  readonly column: number;
  readonly put: PutValue<unknown>;
}

const putNumber: PutValue<unknown> = (sink, column, value) => sink.putNumber(column, value);
const putText: PutValue<unknown> = (sink, column, value) => sink.putText(column, value);
const putTime: PutValue<unknown> = (sink, column, value) => sink.putTime(column, value, 'milliseconds');

/** The fields of a plan by kind, each in the order of its columns. */
export function wantedPaths(plan: FieldPlan): Readonly<Record<keyof FieldPlan, readonly WantedPath[]>> {
  return {
    numbers: pathsOf(plan.numbers, putNumber),
    texts: pathsOf(plan.texts, putText),
    times: pathsOf(plan.times, putTime),
  };
}

function pathsOf(fields: readonly string[], put: PutValue<unknown>): readonly WantedPath[] {
  return fields.map((name, column) => ({ name, segments: name.split('.'), column, put }));
}

/** Follows a path through own keys; undefined where it ends early, an array (never a usable value) where it meets no object. */
export function valueAt(root: object, segments: readonly string[]): unknown {
  let value: unknown = root;
  for (const segment of segments) {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) return [];
    value = Object.hasOwn(value, segment) ? (value as Record<string, unknown>)[segment] : undefined;
  }
  return value;
}
