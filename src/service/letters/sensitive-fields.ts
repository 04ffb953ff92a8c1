import type { Config } from '../../config/config.ts';

/** Fields of which a feature is marked `sensitive`: no value of them is shown, whatever other features are made of them. */
export function sensitiveFields({ features }: Pick<Config, 'features'>): ReadonlySet<string> {
  if (features === 'auto') return new Set();
  const marked = Object.entries(features).filter(([, { sensitive }]) => sensitive);
  return new Set(marked.map(([name, { field }]) => field ?? name));
}
