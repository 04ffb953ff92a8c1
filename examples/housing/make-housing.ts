// Writes housing.csv: `npx tsx examples/housing/make-housing.ts`. The same seed gives the same file.
import { writeFileSync } from 'node:fs';
import { CounterRandom } from '../../src/sensors/counter-random.ts';

const rowCount = 500;
const random = new CounterRandom(1);

const lines = Array.from({ length: rowCount }, (_, row) => {
  const area = 30 + Math.round(170 * random.uniform(0, row));
  const rooms = Math.max(1, Math.round(area / 28 + random.normal(1, row)));
  const price = Math.round(20_000 + 2400 * area + 9000 * rooms + 12_000 * random.normal(2, row));
  return `${area},${rooms},${price}`;
});
writeFileSync(new URL('housing.csv', import.meta.url), `area,rooms,price\n${lines.join('\n')}\n`);
