import { stderr, stdout } from 'node:process';

/**
 * A reader that goes away, as in `millrace validate x.yaml | head -1`, ends the output and not the command: what a pipeline
 * learned must be saved all the same, and the exit code says how it went.
 */
export function outliveReaders(): void {
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** Prints the one document of a `--json` command. */
export function printJson(document: unknown): void {
  stdout.write(`${JSON.stringify(document)}\n`);
}

export function printLine(text = ''): void {
  stdout.write(`${text}\n`);
}
