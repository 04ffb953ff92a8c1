import type { LoadedConfig } from './load.ts';

/** One value of the configuration and where it came from. */
export interface DescribedValue {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

const secret = '(secret)';

/** Every value, by dotted key, with its origin: the file, the environment (which names), or the default. Secrets are hidden. */
export function describeConfig({ config, document, substitutions }: LoadedConfig): DescribedValue[] {
  const described: DescribedValue[] = [];

  function originOf(path: readonly string[]): string {
    for (let length = path.length; length > 0; length--) {
      const substitution = substitutions.get(path.slice(0, length).join('.'));
      if (substitution !== undefined) return `environment ${substitution.names.join(', ')}`;
    }
    return stands(document, path) ? 'file' : 'default';
  }

  function walk(value: unknown, path: readonly string[]): void {
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    } else if (value !== undefined) {
      const isSecret = ['password', 'token'].includes(path.at(-1) ?? '');
      described.push({ key: path.join('.'), value: isSecret ? secret : value, origin: originOf(path) });
    }
  }

  walk(config, []);
  return described;
}

/** Whether the document says something at a path; a choice `{ name: options }` has become `{ kind: name, ...options }`. */
function stands(document: unknown, path: readonly string[]): boolean {
  let values: unknown[] = [document];
  for (const key of path) {
    const next = values.flatMap((value) => children(value, key));
    if (next.length === 0) return values.some((value) => typeof value === 'string');
    values = next;
  }
  return true;
}

function children(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const direct = (value as Record<string, unknown>)[key];
  if (direct !== undefined) return [direct];
  const names = Object.keys(value);
  const [only] = names;
  if (names.length !== 1 || only === undefined) return [];
  return key === 'kind' ? [only] : children((value as Record<string, unknown>)[only], key);
}
