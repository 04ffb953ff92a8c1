import type { Batch } from '../records.ts';
import type { Rows } from './learner.ts';

/** What a trainer reads of a batch. */
export type BatchRows = Omit<Batch, 'barrier' | 'isEndOfInput' | 'release'>;

/** Rows as columns, [rowCount] each: those of a batch, those that wait for a label, those that got one. */
export interface RowTable extends Rows {
  /** Labels in original units or class index; meaningless while a row waits. */
  readonly labels: Float64Array;
  readonly timesMs: Float64Array;
  readonly timestampsMs: Float64Array;
  readonly offsets: Float64Array;
  readonly originIds: Int32Array;
  readonly partitions: Int32Array;
  readonly isScored: Uint8Array;
  /** By contender, [rowCount × outputCount]: what each predicted when the row arrived. */
  readonly outputs: readonly Float64Array[];
}

/** Widths of the columns that hold more than one number a row. */
export interface RowShape {
  readonly featureCount: number;
  readonly outputCount: number;
  readonly contenderCount: number;
}

/** A table of `rowCount` rows, all zero. */
export function emptyTable(rowCount: number, shape: RowShape): RowTable {
  const float64 = (): Float64Array => new Float64Array(rowCount);
  return {
    rowCount,
    featureCount: shape.featureCount,
    features: new Float32Array(rowCount * shape.featureCount),
    keyIds: new Int32Array(rowCount),
    ownTargets: float64(),
    lastTargets: float64(),
    labels: float64(),
    timesMs: float64(),
    timestampsMs: float64(),
    offsets: float64(),
    originIds: new Int32Array(rowCount),
    partitions: new Int32Array(rowCount),
    isScored: new Uint8Array(rowCount),
    outputs: Array.from({ length: shape.contenderCount }, () => new Float64Array(rowCount * shape.outputCount)),
  };
}

/** The rows of a batch with their own targets as labels and without outputs; views of the batch, valid as long as it is. */
export function batchTable(batch: BatchRows, lastTargets: Float64Array): RowTable {
  return { ...batch, ownTargets: batch.targets, labels: batch.targets, lastTargets, outputs: [] };
}

/** Copies row `i` of one table over row `j` of another of the same shape, as far as the source has outputs. */
export function copyRow(from: RowTable, i: number, to: RowTable, j: number): void {
  copyCells(from.features, to.features, i, j, from.featureCount);
  to.keyIds[j] = from.keyIds[i]!;
  to.ownTargets[j] = from.ownTargets[i]!;
  to.lastTargets[j] = from.lastTargets[i]!;
  to.labels[j] = from.labels[i]!;
  to.timesMs[j] = from.timesMs[i]!;
  to.timestampsMs[j] = from.timestampsMs[i]!;
  to.offsets[j] = from.offsets[i]!;
  to.originIds[j] = from.originIds[i]!;
  to.partitions[j] = from.partitions[i]!;
  to.isScored[j] = from.isScored[i]!;
  for (let c = 0; c < from.outputs.length; c++) {
    const [source, target] = [from.outputs[c]!, to.outputs[c]!];
    copyCells(source, target, i, j, target.length / to.rowCount);
  }
}

/** A copy of the first `rowCount` rows in a table of `capacity` rows. */
export function resized(table: RowTable, rowCount: number, capacity: number, shape: RowShape): RowTable {
  const copy = emptyTable(capacity, shape);
  for (let i = 0; i < rowCount; i++) copyRow(table, i, copy, i);
  return copy;
}

/** A copy of some rows, in the order of `rowIndexes`. */
export function pickRows(table: RowTable, rowIndexes: ArrayLike<number>): RowTable {
  const outputCount = table.rowCount === 0 ? 0 : (table.outputs[0]?.length ?? 0) / table.rowCount;
  const shape = { featureCount: table.featureCount, outputCount, contenderCount: table.outputs.length };
  const picked = emptyTable(rowIndexes.length, shape);
  for (let j = 0; j < rowIndexes.length; j++) copyRow(table, rowIndexes[j]!, picked, j);
  return picked;
}

/** A copy of the cells of some rows, `width` cells a row. */
export function pickCells(cells: Float64Array, rowIndexes: ArrayLike<number>, width: number): Float64Array {
  const picked = new Float64Array(rowIndexes.length * width);
  for (let j = 0; j < rowIndexes.length; j++) copyCells(cells, picked, rowIndexes[j]!, j, width);
  return picked;
}

function copyCells<T extends Float32Array | Float64Array>(from: T, to: T, i: number, j: number, width: number): void {
  for (let k = 0; k < width; k++) to[j * width + k] = from[i * width + k]!;
}
