import { ConfigError } from '../errors.ts';

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** Text even where it looks like a number. */
const isSecret = /(^|\.)(username|password|token)$/;

/** A value that the environment filled in: which names, and whether nothing but one name stood there. */
export interface Substitution {
  readonly names: readonly string[];
  readonly isWhole: boolean;
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every string of a parsed document. Text that becomes a plain number or
 * boolean is read as one, since YAML would have read it so.
 * @returns the document and, by dotted path, what was substituted.
 * @throws ConfigError where a name is not set and has no default.
 */
export function substituteEnvironment(
  document: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly document: unknown; readonly substitutions: ReadonlyMap<string, Substitution> } {
  const substitutions = new Map<string, Substitution>();

  function text(value: string, path: string): unknown {
    const names: string[] = [];
    const replaced = value.replaceAll(reference, (_, variable: string, fallback: string | undefined) => {
      names.push(variable);
      const found = environment[variable] ?? fallback;
      if (found === undefined) {
        throw new ConfigError(
          'config.missing',
          `${path}: the environment has no ${variable}. Set it, or write \${${variable}:-default}.`,
        );
      }
      return found;
    });
    if (names.length === 0) return value;
    const isWhole = /^\$\{[^}]*\}$/.test(value);
    substitutions.set(path, { names, isWhole });
    if (isSecret.test(path)) return replaced;
    if (isWhole && /^(true|false)$/.test(replaced)) return replaced === 'true';
    if (isWhole && replaced.trim() !== '' && Number.isFinite(Number(replaced))) return Number(replaced);
    return replaced;
  }

  function walk(value: unknown, path: string): unknown {
    const below = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);
    if (typeof value === 'string') return text(value, path);
    if (Array.isArray(value)) return value.map((item: unknown, index) => walk(item, below(index)));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, below(key))]));
    }
    return value;
  }

  return { document: walk(document, ''), substitutions };
}
