import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file; its bytes are on disk when this resolves. */
export function writeDurably(file: string, data: string | Uint8Array): Promise<void> {
  return writeFile(file, data, { flush: true });
}

/** As `syncDirectory`, with the thread free meanwhile: a disk takes milliseconds. */
export async function settleDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
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
  writeFileSync(draft, data, { flush: true });
  renameSync(draft, file);
  syncDirectory(dirname(file));
}

/** As `replaceDurably`, with the thread free meanwhile. One at a time for a file. */
export async function settleFile(file: string, data: string): Promise<void> {
  const draft = `${file}.tmp`;
  await writeDurably(draft, data);
  await rename(draft, file);
  await settleDirectory(dirname(file));
}

/** Makes a directory and its entry in the parent durable. */
export function makeDirectory(dir: string): void {
  if (mkdirSync(dir, { recursive: true }) !== undefined) syncDirectory(dirname(dir));
}
