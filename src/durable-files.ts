import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file and waits until its bytes are on disk. */
export function writeDurably(file: string, data: string | Uint8Array): void {
  writeFileSync(file, data, { flush: true });
}

/** Makes the entries of a directory durable: names that came, went or changed. */
export function syncDirectory(dir: string): void {
  const descriptor = openSync(dir, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces a file in one step: after a crash it has the old content or the new, never a part. */
export function replaceDurably(file: string, data: string): void {
  const draft = `${file}.tmp`;
  writeDurably(draft, data);
  renameSync(draft, file);
  syncDirectory(dirname(file));
}

/** Makes a directory and its entry in the parent durable. */
export function makeDirectory(dir: string): void {
  if (mkdirSync(dir, { recursive: true }) !== undefined) syncDirectory(dirname(dir));
}
