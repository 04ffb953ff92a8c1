import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printJson, printLine } from './command-output.ts';

export interface OutputOptions {
  readonly out: string;
  readonly json?: true;
}

/** Writes files by name into a directory, which is made where it is missing, and prints their paths. */
export function writeFiles({ out, json }: OutputOptions, files: Readonly<Record<string, string>>): void {
  mkdirSync(out, { recursive: true });
  const paths = Object.entries(files).map(([name, content]) => {
    const path = join(out, name);
    writeFileSync(path, content);
    return path;
  });
  if (json) printJson({ files: paths });
  else for (const path of paths) printLine(path);
}
