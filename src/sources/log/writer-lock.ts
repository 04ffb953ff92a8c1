import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SourceError } from '../../errors.ts';

/** Who holds a lock: a process id alone may be another process after a while, or after a boot. */
interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

const maxAttempts = 5;

/**
 * Takes the writer's lock of a partition directory; a lock whose holder is dead is lifted. Node has no flock, so the
 * lock is a file that names its holder.
 * @returns what gives the lock back.
 * @throws SourceError `log.locked` while another writer lives.
 */
export function lockDirectory(directory: string): () => void {
  const file = join(directory, 'writer.lock');
  const mine = JSON.stringify(holderOf(process.pid));
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    if (tryLink(file, mine)) {
      return () => {
        unlinkSync(file);
      };
    }
    liftDeadLock(file);
  }
  throw locked(file, 'its lock changes hands too often');
}

/** A link makes the lock appear whole: nobody ever reads one that is still empty. */
function tryLink(file: string, text: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function liftDeadLock(file: string): void {
  const text = readText(file);
  if (text === null) return;
  const holder = parseHolder(text);
  if (holder !== null && isAlive(holder)) throw locked(file, `process ${holder.pid} writes to it`);
  const aside = `${file}.dead.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  // Of two that lift the same dead lock, the slower may have lifted the faster one's new lock: it goes back.
  if (readText(aside) !== text) linkSync(aside, file);
  unlinkSync(aside);
}

function isAlive(holder: Holder): boolean {
  const now = holderOf(holder.pid);
  return now !== null && now.bootId === holder.bootId && now.startTime === holder.startTime;
}

/** The process as it is now, null where none has this id. Without /proc (not Linux) the id has to do. */
function holderOf(pid: number): Holder | null {
  const bootId = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  if (bootId === '') return isRunning(pid) ? { pid, startTime: '', bootId } : null;
  const stat = readText(`/proc/${pid}/stat`);
  // Field 22, counted behind the name, which may hold spaces and brackets.
  const startTime = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return startTime === undefined ? null : { pid, startTime, bootId };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function parseHolder(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text);
    const isHolder = typeof value === 'object' && value !== null && 'pid' in value && typeof value.pid === 'number';
    return isHolder ? (value as Holder) : null;
  } catch {
    // Only a power loss leaves half a lock, and no holder survives that.
    return null;
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return null;
    throw error;
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function locked(file: string, why: string): SourceError {
  return new SourceError('log.locked', `${file}: the log has another writer (${why}); stop it first`, {
    context: { file },
  });
}
