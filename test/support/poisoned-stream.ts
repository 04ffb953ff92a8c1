import { CounterRandom } from '../../src/sensors/counter-random.ts';

/** A record of a plant whose output depends on its input and its valve. */
export interface PlantRecord {
  readonly unit: string;
  readonly at: number;
  readonly flow: number;
  readonly valve: number;
  readonly output: number;
}

/** What somebody does to a record on its way. */
export type Poison = (record: PlantRecord, random: () => number) => PlantRecord;

/** Ways to poison a stream; what is left of a record is a good record, so that nothing rejects it. */
export const poisons: Readonly<Record<string, Poison>> = {
  'labels that belong to other rows': (record, random) => ({ ...record, output: 24 * random() - 4 }),
  'labels of the wrong sign': (record) => ({ ...record, output: -record.output }),
  'labels in another unit': (record) => ({ ...record, output: 100 * record.output }),
  'one label for all': (record) => ({ ...record, output: 0 }),
  'features in another unit': (record) => ({ ...record, flow: 1000 * record.flow }),
  'features that belong to other rows': (record, random) => ({
    ...record,
    flow: 10 * random(),
    valve: 2 * random() - 1,
  }),
};

/** Good records; record n depends on n alone. `change` is what the world adds to the effect of the flow. */
export function plantRecord(n: number, change = 0): PlantRecord {
  const random = new CounterRandom(23);
  const flow = 10 * random.uniform(0, n);
  const valve = 2 * random.uniform(1, n) - 1;
  const output = (2 + change) * flow - 4 * valve + 0.5 * random.normal(2, n);
  return { unit: `u${n % 4}`, at: 1_700_000_000_000 + 1000 * n, flow, valve, output };
}

/** Good records, those from `from` to `to` poisoned. */
export function poisonedStream(count: number, from: number, to: number, poison: Poison): PlantRecord[] {
  const random = new CounterRandom(29);
  return Array.from({ length: count }, (_, n) => {
    const good = plantRecord(n);
    return n >= from && n < to ? poison(good, () => random.uniform(n % 7, n)) : good;
  });
}
