import type { RecordBlock } from '../../records.ts';
import { valueBlock } from '../value-block.ts';
import type { CsvRecord } from './csv-records.ts';

/** Where a run of records stands in its stream. */
export interface CsvBlockPlace {
  readonly topic: string;
  readonly firstOffset: number;
  readonly pass: number;
  readonly endOffset: number;
  readonly nowMs: number;
}

/** Makes records one block: values are the records' text, keys are null. */
export function csvBlock(
  records: readonly CsvRecord[],
  { pass, ...place }: CsvBlockPlace,
  take: (bytes: number) => () => void,
): RecordBlock {
  const values = records.map(({ bytes }) => bytes);
  return {
    ...valueBlock(values, { ...place, partition: 0, epoch: pass }, take),
    cells: records.map(({ cells }) => cells),
    isScored: pass === 0,
  };
}
