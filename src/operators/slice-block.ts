import type { RecordBlock } from '../records.ts';

/**
 * Records [start, end) of a block as a block of their own, over the same bytes. Only the slice with the block's last
 * record ends where the block ends and gives its bytes back.
 */
export function sliceBlock(block: RecordBlock, start: number, end: number): RecordBlock {
  if (start === 0 && end === block.recordCount) return block;
  const isLast = end === block.recordCount;
  return {
    ...block,
    release: () => {
      if (isLast) block.release();
    },
    recordCount: end - start,
    valueStarts: block.valueStarts.subarray(start, end),
    valueLengths: block.valueLengths.subarray(start, end),
    keyStarts: block.keyStarts.subarray(start, end),
    keyLengths: block.keyLengths.subarray(start, end),
    offsets: block.offsets.subarray(start, end),
    timestampsMs: block.timestampsMs.subarray(start, end),
    headers: (recordIndex) => block.headers(start + recordIndex),
    ...(block.cells === undefined ? {} : { cells: block.cells.slice(start, end) }),
    nextOffset: isLast ? block.nextOffset : block.offsets[end - 1]! + 1,
  };
}
