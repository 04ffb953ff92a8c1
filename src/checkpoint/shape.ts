import { ConfigError } from '../errors.ts';
import type { JsonValue } from '../records.ts';

/** What shapes the state of a pipeline, by key of the configuration. */
export type Shape = Readonly<Record<string, JsonValue>>;

/**
 * Refuses to go on from a checkpoint whose state was shaped by other values.
 * @throws ConfigError 'config.incompatible' that names each key with both values.
 */
export function refuseOtherShape(stored: Shape, present: Shape, dir: string): void {
  const keys = [...new Set([...Object.keys(stored), ...Object.keys(present)])].sort();
  const differences = keys
    .filter((key) => canonical(stored[key]) !== canonical(present[key]))
    .map(
      (key) => `  ${key}: the checkpoint has ${canonical(stored[key])}, the configuration ${canonical(present[key])}`,
    );
  if (differences.length === 0) return;
  throw new ConfigError(
    'config.incompatible',
    `${dir} holds the state of another pipeline:\n${differences.join('\n')}\n` +
      'Restore these values, give checkpoint.dir another directory, or start anew with --fresh (the old state is kept beside it).',
  );
}

/** JSON with sorted keys, so that the order in the file does not matter. */
function canonical(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_, item: JsonValue) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
