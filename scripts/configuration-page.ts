import { z } from 'zod';
import { configSchema } from '../src/config/schema.ts';

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly default?: unknown;
  readonly description?: string;
}

/** The JSON Schema of the configuration file, for editors. */
export function configurationSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }), null, 2)}\n`;
}

/** docs/configuration.md: every key with its type, default and meaning. */
export function configurationPage(): string {
  const rows: string[] = [];
  walk(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema, '', new Set(), rows);
  return `# Configuration

Generated from \`src/config/schema.ts\` by \`npm run docs\`; a JSON Schema for editors is \`docs/config.schema.json\`.
\`millrace validate CONFIG\` prints every value with its origin. \`\${NAME}\` and \`\${NAME:-default}\` come from the environment.
Where a choice has options it is a name or \`{ name: options }\`; paths are relative to the working directory.

| key | type | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function walk(schema: JsonSchema, path: string, required: ReadonlySet<string>, rows: string[]): void {
  if (path !== '') {
    const type = typeOf(schema);
    const fallback = schema.default === undefined ? (required.has(path) ? 'required' : '') : code(schema.default);
    const row = `| \`${path}\` | ${type} | ${fallback} | ${schema.description ?? ''} |`;
    if (!rows.includes(row)) rows.push(row);
  }
  for (const branch of schema.anyOf ?? []) walkBelow(branch, path, rows);
  walkBelow(schema, path, rows);
}

function walkBelow(schema: JsonSchema, path: string, rows: string[]): void {
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const required = new Set((schema.required ?? []).map(below));
  for (const [key, child] of Object.entries(schema.properties ?? {})) walk(child, below(key), required, rows);
  if (typeof schema.additionalProperties === 'object' && isNested(schema.additionalProperties)) {
    walkInto(schema.additionalProperties, below('NAME'), rows);
  }
}

function walkInto(schema: JsonSchema, path: string, rows: string[]): void {
  for (const branch of schema.anyOf ?? [schema]) walkBelow(branch, path, rows);
}

function isNested(schema: JsonSchema): boolean {
  return schema.properties !== undefined || (schema.anyOf ?? []).some(isNested);
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(' or ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeOf(schema.items)}`;
  if (schema.type === 'object') return schema.properties === undefined ? 'map by name' : 'keys below';
  return String(schema.type ?? 'value');
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
