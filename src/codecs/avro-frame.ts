import type { RecordBlock, RejectReason } from '../records.ts';

/** Confluent framing: byte 0, the schema id in 4 bytes big endian, one datum that ends with the value. */
export const headerBytes = 5;

/** A view of the memory of a block's bytes. */
export function viewOf({ bytes }: RecordBlock): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The schema id of a framed value, -1 where there is no frame. Ids are positive; a negative one is nobody's. */
export function schemaId(block: RecordBlock, view: DataView, index: number): number {
  const start = block.valueStarts[index]!;
  if (block.valueLengths[index]! < headerBytes || block.bytes[start] !== 0) return -1;
  return view.getInt32(start + 1);
}

/** What is wrong with the frame of a value that has bytes; null where nothing is. */
export function frameFault(block: RecordBlock, index: number): { reason: RejectReason; detail: string } | null {
  const length = block.valueLengths[index]!;
  const magic = block.bytes[block.valueStarts[index]!]!;
  if (length < headerBytes) return { reason: 'frame.short', detail: `${length} bytes, a frame has ${headerBytes}` };
  return magic === 0 ? null : { reason: 'frame.magic', detail: `the first byte is ${magic}, not 0` };
}
