import { writeFileSync } from 'node:fs';
import { CounterRandom } from '../../src/sensors/counter-random.ts';

/** States of a machine, as text. */
export const gaugeStates = ['idle', 'loaded', 'overheated'] as const;

const centers = { idle: [20, 0.2], loaded: [45, 0.9], overheated: [80, 0.7] } as const;

/** One row of a CSV file: heat, vibration, and the state that they come from. */
export interface GaugeRow {
  readonly heat: number;
  readonly vibration: number;
  readonly state: string;
}

/** Readings of a machine whose states overlap a little; row n depends on n alone. */
export function gaugeRows(count: number): GaugeRow[] {
  const random = new CounterRandom(11);
  return Array.from({ length: count }, (_, n) => {
    const share = random.uniform(0, n);
    const state = share < 0.5 ? 'idle' : share < 0.8 ? 'loaded' : 'overheated';
    const [heat, vibration] = centers[state];
    return { state, heat: heat + 8 * random.normal(1, n), vibration: vibration + 0.15 * random.normal(2, n) };
  });
}

/** Writes rows as CSV with a header; `bad` tells which are to have text where a number belongs. */
export function writeGauges(
  file: string,
  rows: readonly GaugeRow[],
  bad: (row: number) => boolean = () => false,
): void {
  const lines = rows.map(({ heat, vibration, state }, n) => `${bad(n) ? 'n/a' : heat},${vibration},${state}`);
  writeFileSync(file, `heat,vibration,state\n${lines.join('\n')}\n`);
}

/** The configuration that learns their state. */
export function gaugeConfig(file: string, state: string): Readonly<Record<string, unknown>> {
  return {
    name: 'gauges',
    source: { csv: { file } },
    features: ['heat', 'vibration'],
    target: { field: 'state', task: 'classification' },
    batch: { rows: 16 },
    models: { main: { mlp: { hidden: [16] } }, linear: 'linear' },
    training: { optimizer: 'adam', learningRate: 0.01 },
    checkpoint: { dir: state, every: '20 steps' },
    http: { port: 0 },
  };
}
