import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { acquireLock, isLock } from '../process-lock.ts';
import { CheckpointError } from '../errors.ts';

/**
 * `--fresh`: moves everything in the state directory, and a dead-letter file kept elsewhere, to `old-TIME/` in it.
 * @returns the folder, or null where there was nothing to move.
 * @throws CheckpointError 'checkpoint.locked' while another process uses the state.
 */
export function moveStateAside(dir: string, deadLetterFile: string | null, now: Date): string | null {
  if (!existsSync(dir)) return null;
  const lock = acquireLock(join(dir, 'lock'));
  if (!isLock(lock)) {
    throw new CheckpointError(
      'checkpoint.locked',
      `${dir}: process ${lock.pid} is using this state. Stop it before --fresh.`,
    );
  }
  try {
    const names = readdirSync(dir).filter((name) => !name.startsWith('old-') && name !== 'lock');
    const aside = join(dir, `old-${now.toISOString().replaceAll(/[:.]/g, '-')}`);
    const lettersElsewhere =
      deadLetterFile !== null && existsSync(deadLetterFile) && !names.includes(basename(deadLetterFile));
    if (names.length === 0 && !lettersElsewhere) return null;
    mkdirSync(aside);
    for (const name of names) renameSync(join(dir, name), join(aside, name));
    if (lettersElsewhere) renameSync(deadLetterFile, join(aside, basename(deadLetterFile)));
    return aside;
  } finally {
    lock.release();
  }
}
