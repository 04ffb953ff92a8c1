import type { RowCodec } from '../../src/codecs/row-codec.ts';
import type { DecodedColumns, RecordBlock, RejectReason } from '../../src/records.ts';
import { recordBlock } from '../support/blocks.ts';

export interface Decoded {
  readonly columns: DecodedColumns;
  readonly rejected: readonly { readonly index: number; readonly reason: RejectReason; readonly detail: string }[];
}

/** Prepares and decodes one block as the `decode` operator does. */
export async function decodeBlock(codec: RowCodec, block: RecordBlock): Promise<Decoded> {
  await codec.prepare(block, new AbortController().signal);
  const rejected: { index: number; reason: RejectReason; detail: string }[] = [];
  const columns = codec.decode(block, (index, reason, detail) => {
    rejected.push({ index, reason, detail });
  });
  return { columns, rejected };
}

export function decodeValues(codec: RowCodec, values: readonly (Buffer | string | null)[]): Promise<Decoded> {
  return decodeBlock(codec, recordBlock(values));
}

/** The reason of each record, null where it is good. */
export async function reasonsOf(
  codec: RowCodec,
  values: readonly (Buffer | string | null)[],
): Promise<readonly (RejectReason | null)[]> {
  const { rejected } = await decodeValues(codec, values);
  return values.map((_, index) => rejected.find((each) => each.index === index)?.reason ?? null);
}
