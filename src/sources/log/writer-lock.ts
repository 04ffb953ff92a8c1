import { join } from 'node:path';
import { SourceError } from '../../errors.ts';
import { acquireLock, isLock } from '../../process-lock.ts';

/**
 * Takes the writer's lock of a partition directory; a lock whose holder is dead is lifted.
 * @returns what gives the lock back.
 * @throws SourceError `log.locked` while another writer lives.
 */
export function lockDirectory(directory: string): () => void {
  const file = join(directory, 'writer.lock');
  const lock = acquireLock(file);
  if (isLock(lock)) {
    return () => {
      lock.release();
    };
  }
  throw new SourceError(
    'log.locked',
    `${file}: the log has another writer (process ${lock.pid} writes to it); stop it first`,
    { context: { file } },
  );
}
