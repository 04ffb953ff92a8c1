import { stdout } from 'node:process';

/** Prints the one document of a `--json` command. */
export function printJson(document: unknown): void {
  stdout.write(`${JSON.stringify(document)}\n`);
}

export function printLine(text = ''): void {
  stdout.write(`${text}\n`);
}
