import leven from 'leven';
import type { z } from 'zod';
import { configSchema } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** One line per problem: the key, the value that stands there, what is expected, and a likely fix. */
export function explainIssues(issues: readonly Issue[], document: unknown): string[] {
  return issues.flatMap((issue) => explain(issue, document, []));
}

function explain(issue: Issue, document: unknown, above: readonly PropertyKey[]): string[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${dotted([...path, key])}: unknown key${suggestion(key, path)}`);
  }
  if (issue.code === 'invalid_union') {
    const closest = closestBranch(issue.errors);
    if (closest !== undefined) return closest.flatMap((inner) => explain(inner, document, path));
    const names = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []));
    if (names.length > 0)
      return [`${dotted(path)}: expected one of ${names.map(String).join(', ')}, ${gotAt(document, path)}`];
  }
  const message = issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '');
  return [`${dotted(path)}: ${message === 'Invalid input' ? 'not understood' : message}, ${gotAt(document, path)}`];
}

/** Of a union's branches, the one whose complaint lies deepest: the user was most likely writing that one. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depth = (branch: readonly Issue[]): number =>
    Math.max(...branch.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)));
  const deepest = branches.reduce<readonly Issue[] | undefined>(
    (best, branch) => (best === undefined || depth(branch) > depth(best) ? branch : best),
    undefined,
  );
  return deepest === undefined || depth(deepest) === 0 ? undefined : deepest;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '(the file)' : path.map(String).join('.');
}

function gotAt(document: unknown, path: readonly PropertyKey[]): string {
  const value = valueAt(document, path);
  return value === undefined ? 'got nothing' : `got ${JSON.stringify(value)}`;
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    document,
  );
}

function suggestion(key: string, path: readonly PropertyKey[]): string {
  const known = knownKeys(path);
  const [closest] = known.map((name) => ({ name, distance: leven(key, name) })).sort((a, b) => a.distance - b.distance);
  if (closest !== undefined && closest.distance <= Math.max(2, key.length / 3))
    return `; did you mean ${closest.name}?`;
  return known.length === 0 ? '' : `; known here: ${known.join(', ')}`;
}

/** Keys that the schema allows at a path, through defaults, unions and records. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schemas: unknown[] = [configSchema];
  for (const key of path) schemas = schemas.flatMap(unwrap).flatMap((schema) => childOf(schema, String(key)));
  return [...new Set(schemas.flatMap(unwrap).flatMap((schema) => Object.keys(shapeOf(schema))))];
}

interface SchemaDefinition {
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly options?: readonly unknown[];
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly valueType?: unknown;
  readonly element?: unknown;
}

function definitionOf(schema: unknown): SchemaDefinition {
  return (schema as { _zod: { def: SchemaDefinition } })._zod.def;
}

function unwrap(schema: unknown): unknown[] {
  const { innerType, in: input, options } = definitionOf(schema);
  if (innerType !== undefined) return unwrap(innerType);
  if (input !== undefined) return unwrap(input);
  return options === undefined ? [schema] : options.flatMap(unwrap);
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> {
  return definitionOf(schema).shape ?? {};
}

function childOf(schema: unknown, key: string): unknown[] {
  const { valueType, element } = definitionOf(schema);
  const child = shapeOf(schema)[key] ?? valueType ?? element;
  return child === undefined ? [] : [child];
}
