import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ConfigError, SourceError, messageOf } from '../../errors.ts';

/** Bytes asked from a file at once: about a block of records. */
const readBytes = 128 * 1024;

const wildcard = /[*?]/;

/**
 * Files that a path or glob names, in name order. `*` and `?` match within one folder or file name.
 * `key` is the setting to name in the error.
 * @throws ConfigError `config.missing` where no file matches.
 */
export async function csvFiles(pattern: string, key = 'source.csv.file'): Promise<readonly string[]> {
  const files = wildcard.test(pattern) ? await expand(pattern) : [pattern];
  const found = await Promise.all(files.map(isFile));
  const present = files.filter((_, index) => found[index]).sort();
  if (present.length === 0) {
    throw new ConfigError(
      'config.missing',
      `${key}: ${pattern} ${wildcard.test(pattern) ? 'matches no file' : 'is not a file'}; check the spelling, relative paths start at ${process.cwd()}`,
      { context: { key, value: pattern } },
    );
  }
  return present;
}

/** What stands for a path or glob where a topic name is wanted. */
export function csvTopic(pattern: string): string {
  return basename(pattern);
}

/**
 * Text of one file in pieces, unpacked where its name ends in `.gz`.
 * @throws SourceError `source.corrupt` where it cannot be unpacked, `source.unavailable` where it cannot be read.
 */
export async function* csvText(file: string): AsyncGenerator<Buffer> {
  const raw = createReadStream(file, { highWaterMark: readBytes });
  const text: Readable = file.endsWith('.gz') ? raw.pipe(createGunzip({ chunkSize: readBytes })) : raw;
  // `pipe` does not hand on errors: without this a failing disk would be a stream that never ends.
  raw.on('error', (error) => text.destroy(error));
  try {
    for await (const chunk of text) yield chunk as Buffer;
  } catch (error) {
    const isUnpacking = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
    throw new SourceError(
      isUnpacking ? 'source.corrupt' : 'source.unavailable',
      `${file}: ${isUnpacking ? 'not a whole gzip file' : 'cannot be read'}: ${messageOf(error)}`,
      { cause: error, context: { file } },
    );
  } finally {
    raw.destroy();
    text.destroy();
  }
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ?? false;
}

async function expand(pattern: string): Promise<string[]> {
  const [first, ...rest] = pattern.split(sep);
  let paths = [first === '' ? sep : '.'];
  for (const part of first === '' ? rest : [first ?? '', ...rest]) {
    const matches = await Promise.all(paths.map((path) => step(path, part)));
    paths = matches.flat();
  }
  return paths;
}

async function step(folder: string, part: string): Promise<string[]> {
  if (!wildcard.test(part)) return [join(folder, part)];
  const shape = new RegExp(
    `^${part
      .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => shape.test(name)).map((name) => join(folder, name));
}
