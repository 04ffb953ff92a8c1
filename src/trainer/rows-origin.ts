import type { RowsOrigin } from '../records.ts';
import type { BatchRows } from './row-table.ts';

/** Where most rows of a batch came from, of equals the one that comes first; null where there are none. */
export function rowsOrigin({ rowCount, originIds, offsets }: BatchRows): RowsOrigin | null {
  const byOrigin = new Map<number, RowsOrigin & { readonly rows: number }>();
  // Rows come in runs of one partition, so that the map is asked once a run.
  for (let start = 0, end = 0; start < rowCount; start = end) {
    const originId = originIds[start]!;
    while (end < rowCount && originIds[end] === originId) end++;
    const { firstOffset, rows } = byOrigin.get(originId) ?? { firstOffset: offsets[start]!, rows: 0 };
    byOrigin.set(originId, { originId, firstOffset, lastOffset: offsets[end - 1]!, rows: rows + end - start });
  }
  let largest: (RowsOrigin & { readonly rows: number }) | null = null;
  for (const origin of byOrigin.values()) if (origin.rows > (largest?.rows ?? 0)) largest = origin;
  if (largest === null) return null;
  const { originId, firstOffset, lastOffset } = largest;
  return { originId, firstOffset, lastOffset };
}
