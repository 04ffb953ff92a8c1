import { readFileSync } from 'node:fs';
import { ConfigError, messageOf } from '../errors.ts';
import type { SchemaStore } from './avro-codec.ts';
import { parseAvroSchema } from './avro-schema.ts';

/**
 * The one schema of a file, under one id; every other id is unknown.
 *
 * @throws ConfigError where the file cannot be read or holds no Avro schema.
 */
export function schemaFile(file: string, schemaId = 1): SchemaStore {
  const text = schemaFileText(file);
  return { schema: (id) => Promise.resolve(id === schemaId ? text : null) };
}

/**
 * The schema text of a file, checked.
 *
 * @throws ConfigError where the file cannot be read or holds no Avro schema.
 */
export function schemaFileText(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(
      'config.missing',
      `schemaFile ${file}: cannot be read (${messageOf(error)}). Check the path; produce writes the file when it starts.`,
      { cause: error },
    );
  }
  try {
    parseAvroSchema(text);
  } catch (error) {
    throw new ConfigError('config.invalid', `schemaFile ${file}: ${messageOf(error)}`, { cause: error });
  }
  return text;
}
