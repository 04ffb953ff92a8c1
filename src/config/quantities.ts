import { z } from 'zod';

const millisecondsIn: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 };
const bytesIn: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A duration such as `200ms`, `30s`, `10m`, `1h`, `7d`; becomes milliseconds. */
export const duration = z
  .string({ error: 'expected a duration such as 200ms, 30s, 10m, 1h or 7d' })
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, { error: 'expected a duration such as 200ms, 30s, 10m, 1h or 7d' })
  .transform((text) => parseQuantity(text, millisecondsIn))
  .meta({ description: 'Duration: 200ms, 30s, 10m, 1h, 7d' });

/** An amount of memory: a number of bytes, or `64KiB`, `32MiB`, `1GiB`; becomes bytes. */
export const byteSize = z
  .union(
    [
      z.number().int().positive(),
      z
        .string()
        .regex(/^\d+(\.\d+)?(B|KiB|MiB|GiB)$/)
        .transform((text) => parseQuantity(text, bytesIn)),
    ],
    { error: 'expected bytes: a number, or a size such as 64KiB or 32MiB' },
  )
  .meta({ description: 'Bytes: a number, or 64KiB, 32MiB, 1GiB' });

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number {
  const unit = /[A-Za-z]+$/.exec(text)?.[0] ?? '';
  return Number(text.slice(0, text.length - unit.length)) * (units[unit] ?? NaN);
}
