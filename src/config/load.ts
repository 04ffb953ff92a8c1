import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { ConfigError, messageOf } from '../errors.ts';
import type { Config } from './config.ts';
import { crossChecks } from './cross-checks.ts';
import { substituteEnvironment, type Substitution } from './environment.ts';
import { explainIssues } from './explain.ts';
import { configSchema, type ConfigDocument, type RawConfig } from './schema.ts';

/** A configuration that is valid, and where its values come from. */
export interface LoadedConfig {
  readonly config: Config;
  /** The document as written, environment filled in: what an origin is looked up in. */
  readonly document: unknown;
  readonly substitutions: ReadonlyMap<string, Substitution>;
}

/** Variables by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and validates a configuration file.
 * @throws ConfigError that lists every problem with its key, value and a likely fix.
 */
export function loadConfig(file: string, environment: Environment = process.env): LoadedConfig {
  return checkConfig(readDocument(file), file, environment);
}

/** The same from text; `file` is only named in messages. */
export function parseConfig(text: string, file: string, environment: Environment): LoadedConfig {
  return checkConfig(parseYaml(text, file), file, environment);
}

/**
 * A configuration file as it is written, with nothing checked or filled in.
 * @throws ConfigError where it cannot be read or is no YAML.
 */
export function readDocument(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      'config.missing',
      `${file}: cannot read the configuration (${messageOf(error)}). Check the path.`,
    );
  }
}

function parseYaml(text: string, file: string): unknown {
  const yaml = parseDocument(text, { prettyErrors: true });
  const [syntax] = yaml.errors;
  if (syntax !== undefined) throw new ConfigError('config.invalid', `${file}: not YAML: ${syntax.message}`);
  return yaml.toJS();
}

/**
 * The same from an object: a configuration that a program has made, `${NAME}` filled in from the environment.
 * @throws ConfigError that lists every problem with its key, value and a likely fix.
 * @example
 * const config = configOf({
 *   name: 'turbines',
 *   source: { program: { topic: 'readings' } },
 *   features: ['windSpeed'],
 *   target: 'power',
 * });
 */
export function configOf(document: ConfigDocument, environment: Environment = process.env): Config {
  return checkConfig(document, 'the configuration', environment).config;
}

function checkConfig(written: unknown, file: string, environment: Environment): LoadedConfig {
  const { document, substitutions } = substituteEnvironment(written, environment);
  const parsed = configSchema.safeParse(document);
  if (!parsed.success) throw invalid(file, explainIssues(parsed.error.issues, document));
  const config = complete(parsed.data, substitutions);
  const problems = crossChecks(config);
  if (problems.length > 0) throw invalid(file, problems);
  return { config, document, substitutions };
}

function invalid(file: string, problems: readonly string[]): ConfigError {
  return new ConfigError(
    'config.invalid',
    `${file} cannot be used:\n${problems.map((line) => `  ${line}`).join('\n')}`,
  );
}

/** How values are written where the source leaves hardly a choice. */
const usualDecode = {
  csv: { kind: 'csv' },
  program: { kind: 'json' } as NonNullable<RawConfig['decode']>,
  kafka: undefined,
  log: undefined,
} as const;

/** Fills in what depends on other keys, and reads secrets. */
function complete(raw: RawConfig, substitutions: ReadonlyMap<string, Substitution>): Config {
  const decode = raw.decode ?? usualDecode[raw.source.kind];
  if (decode === undefined) {
    throw new ConfigError(
      'config.missing',
      `decode: is missing; say how the values of ${raw.source.kind} are written: avro: { schemaFile } or avro: { registry: { url } }, json, or csv`,
    );
  }
  const serve = raw.serve ?? Object.keys(raw.models)[0] ?? 'main';
  const config = { ...raw, decode, serve };
  const read = (holder: Secretive, path: string, key: SecretKey): string => secret(holder, path, key, substitutions);
  if (config.source.kind === 'kafka' && config.source.sasl !== undefined) {
    const sasl = config.source.sasl;
    config.source = { ...config.source, sasl: { ...sasl, password: read(sasl, 'source.kafka.sasl', 'password') } };
  }
  if (decode.kind === 'avro' && decode.registry?.username !== undefined) {
    const password = read(decode.registry, 'decode.avro.registry', 'password');
    config.decode = { ...decode, registry: { ...decode.registry, password } };
  }
  if (config.http.token !== undefined || config.http.tokenFile !== undefined) {
    config.http = { ...config.http, token: read(config.http, 'http', 'token') };
  }
  return config;
}

type SecretKey = 'password' | 'token';
type Secretive = Readonly<Partial<Record<SecretKey | `${SecretKey}File`, string | undefined>>>;

/** A secret from its file, or from the environment; never from the configuration itself, and never empty. */
function secret(
  holder: Secretive,
  path: string,
  key: SecretKey,
  substitutions: ReadonlyMap<string, Substitution>,
): string {
  const file = holder[`${key}File`];
  const value = holder[key];
  if (file !== undefined) return secretIn(file, `${path}.${key}File`);
  if (value === undefined) {
    throw new ConfigError('config.missing', `${path}: needs ${key}File, or ${key}: \${NAME} from the environment`);
  }
  if (substitutions.get(`${path}.${key}`)?.isWhole !== true) {
    throw new ConfigError(
      'config.invalid',
      `${path}.${key}: a secret must not stand in the configuration. Write \${NAME} and set NAME, or use ${key}File.`,
    );
  }
  return value;
}

function secretIn(file: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new ConfigError(
      'config.missing',
      `${path}: cannot read ${file} (${messageOf(error)}). Create it or correct the path.`,
    );
  }
  if (text === '') throw new ConfigError('config.missing', `${path}: ${file} is empty. Write the secret into it.`);
  return text;
}
