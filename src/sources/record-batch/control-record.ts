import type { RecordColumns } from './record-columns.ts';

/** How a control batch ends its producer's transaction; null where it is of another kind. */
export function transactionEnd(columns: RecordColumns): 'abort' | 'commit' | null {
  const start = columns.keyStarts[0];
  // A control record's key: version, then type, 16 bits each.
  if (start === undefined || columns.keyLengths[0]! < 4) return null;
  const type = columns.bytes.readInt16BE(start + 2);
  return type === 0 ? 'abort' : type === 1 ? 'commit' : null;
}
