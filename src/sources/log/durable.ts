import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a directory's entries durable: a new or renamed file is only then sure to be found after a power loss. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Replaces a file's text at once: readers, and whoever comes after a power loss, see the old text or the new. */
export function replaceFile(file: string, text: string): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, text, { flush: true });
  renameSync(temporary, file);
  syncDirectory(dirname(file));
}
