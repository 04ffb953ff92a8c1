import type { Figure } from './figures.ts';

/** One line of the table on stdout: name, median and unit, the spread of the runs, and what it depends on. */
export function tableLine({ name, value, unit, runs, note }: Figure): string {
  const spread = runs.length < 2 ? '' : `${shown(Math.min(...runs))} … ${shown(Math.max(...runs))}`;
  return `${name.padEnd(36)}${shown(value).padStart(12)} ${unit.padEnd(18)}${spread.padEnd(26)}${note ?? ''}`.trimEnd();
}

/** A number with three digits, or whole where it is large. */
export function shown(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
