import { isDeepStrictEqual } from 'node:util';
import { type AddonArray, dataTypes } from './addon.ts';
import { NotRecordable } from './not-recordable.ts';
import type { RecordedCapture, RecordedConstant, RecordedOp, Recording } from './recording.ts';

/** Numbers that depend on the number of rows: `slope[i] · rows + offset[i]`, integers. */
export interface ByRows {
  readonly slope: readonly number[];
  readonly offset: readonly number[];
}

/** How a constant of the step follows from the number of rows. */
export type Constant = { readonly value: number; readonly dtype: number } & (
  | { readonly kind: 'fixed'; readonly shape: readonly number[]; readonly content: AddonArray }
  /** One number everywhere, in a shape that grows with the rows. */
  | { readonly kind: 'filled'; readonly shape: ByRows; readonly content: AddonArray }
  /** Whole numbers that grow with the rows: shapes, counts. */
  | { readonly kind: 'byRows'; readonly shape: readonly number[]; readonly numbers: ByRows }
  /** `scale / rows` in float32: the weight of a row in a mean. */
  | { readonly kind: 'perRow'; readonly shape: readonly number[]; readonly scale: number }
);

/** A step for any number of rows. */
export interface Program {
  readonly ops: readonly RecordedOp[];
  readonly constants: readonly Constant[];
  readonly captures: readonly RecordedCapture[];
  readonly results: readonly number[];
  readonly sourcesAfter: readonly number[];
}

export interface RecordedAt {
  readonly rowCount: number;
  readonly recording: Recording;
}

/**
 * One program from recordings of the same step at several numbers of rows, the first two of which it follows from and the others
 * confirm it.
 * @throws NotRecordable where they differ in anything but constants, or in a constant that does not follow from the rows.
 */
export function generalize(recorded: readonly RecordedAt[]): Program {
  const [first, ...others] = recorded.map(({ recording }) => recording);
  for (const other of others) assertSameOps(first!, other);
  const constants = first!.constants.map((_, c) =>
    constantOf(
      recorded.map(({ rowCount }) => rowCount),
      recorded.map(({ recording }) => recording.constants[c]!),
    ),
  );
  return { ...first!, constants };
}

function assertSameOps(one: Recording, other: Recording): void {
  const outline = ({ ops, constants, captures, results, sourcesAfter }: Recording) => ({
    ops: ops.map(({ name, attributes, inputs, outputs }) => [
      name,
      attributes,
      inputs,
      outputs.map(({ dtype }) => dtype),
    ]),
    constants: constants.map(({ value, dtype }) => [value, dtype]),
    captures: captures.map(({ value }) => value),
    results,
    sourcesAfter,
  });
  const [a, b] = [outline(one), outline(other)];
  if (isDeepStrictEqual(a, b)) return;
  const at = a.ops.findIndex((op, i) => !isDeepStrictEqual(op, b.ops[i]));
  const where = at === -1 ? 'in its constants' : `at its op ${at}, ${one.ops[at]!.name}`;
  throw new NotRecordable(`the step does something else for another number of rows, ${where}`);
}

function constantOf(rowCounts: readonly number[], seen: readonly RecordedConstant[]): Constant {
  const { value, dtype, shape, content } = seen[0]!;
  const isSameShape = seen.every((each) => isDeepStrictEqual(each.shape, shape));
  if (isSameShape && seen.every((each) => isDeepStrictEqual(each.content, content))) {
    return { kind: 'fixed', value, dtype, shape, content };
  }
  if (!isSameShape) {
    const first = content.slice(0, 1);
    const isUniform = seen.every((each) => each.content.every((number) => Object.is(number, first[0])));
    const shapeByRows = byRows(
      rowCounts,
      seen.map((each) => each.shape),
    );
    if (isUniform && shapeByRows !== null) return { kind: 'filled', value, dtype, shape: shapeByRows, content: first };
    throw new NotRecordable('the step makes an array with a number for each row, such as a random mask');
  }
  const numbers = byRows(
    rowCounts,
    seen.map((each) => [...each.content]),
  );
  if (numbers !== null) return { kind: 'byRows', value, dtype, shape, numbers };
  const scale = dtype === dataTypes.float32 && content.length === 1 ? perRow(rowCounts, seen) : null;
  if (scale !== null) return { kind: 'perRow', value, dtype, shape, scale };
  throw new NotRecordable(
    `the step uses numbers that do not follow from the number of rows: ${[...content].slice(0, 4).join(', ')}`,
  );
}

/** Whole slopes and offsets that give all the numbers, or null. */
function byRows(rowCounts: readonly number[], seen: readonly (readonly number[])[]): ByRows | null {
  const [first, second] = seen;
  if (seen.some(({ length }) => length !== first!.length)) return null;
  const slope = first!.map((number, i) => (second![i]! - number) / (rowCounts[1]! - rowCounts[0]!));
  const offset = first!.map((number, i) => number - slope[i]! * rowCounts[0]!);
  const fits = seen.every((numbers, s) =>
    numbers.every((number, i) => number === slope[i]! * rowCounts[s]! + offset[i]!),
  );
  return fits && [...slope, ...offset].every(Number.isInteger) ? { slope, offset } : null;
}

function perRow(rowCounts: readonly number[], seen: readonly RecordedConstant[]): number | null {
  // Steps scale a mean by whole numbers at the most: 1 / rows, 2 / rows.
  const scale = Math.round(seen[0]!.content[0]! * rowCounts[0]!);
  const fits = seen.every(({ content }, s) => content[0] === Math.fround(scale / rowCounts[s]!));
  return fits ? scale : null;
}
