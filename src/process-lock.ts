import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Who holds a lock: a process that lives or lived, told apart from a later one with the same pid. */
export interface LockOwner {
  readonly pid: number;
  /** Start time in clock ticks since boot, from /proc; empty where there is no /proc. */
  readonly startedAt: string;
  readonly bootId: string;
  /** Grows by one with each owner, so that a stale owner can be told from the present one. */
  readonly epoch: number;
}

export interface ProcessLock {
  readonly epoch: number;
  /** False once somebody else took the lock over: this process must not write any more. */
  isHeld(): boolean;
  release(): void;
}

const maxTries = 5;

/**
 * Takes the lock file, or says who has it. Node has no flock, so a lock is a file that names a process; it appears whole
 * or not at all (`link` of a finished file), and one left by a dead process is taken over.
 * @param lastEpoch highest epoch known from elsewhere; the new one is above it and above the previous owner's.
 * @returns the lock, or the live owner.
 */
export function acquireLock(file: string, lastEpoch = 0): ProcessLock | LockOwner {
  let epoch = lastEpoch + 1;
  for (let tries = 0; tries < maxTries; tries++) {
    const previous = readOwner(file);
    if (previous !== null && isAlive(previous)) return previous;
    epoch = Math.max(epoch, (previous?.epoch ?? 0) + 1);
    const me = JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid), bootId: bootId(), epoch });
    if (existsSync(file)) moveAside(file, previous);
    if (linkWhole(file, me)) return held(file, me, epoch);
  }
  const owner = readOwner(file);
  if (owner !== null) return owner;
  throw new Error(`${file}: cannot take the lock after ${maxTries} tries`);
}

export function isLock(taken: ProcessLock | LockOwner): taken is ProcessLock {
  return 'isHeld' in taken;
}

function held(file: string, me: string, epoch: number): ProcessLock {
  const isHeld = (): boolean => {
    try {
      return readFileSync(file, 'utf8') === me;
    } catch {
      return false;
    }
  };
  return {
    epoch,
    isHeld,
    release: () => {
      if (isHeld()) rmSync(file);
    },
  };
}

/** Of two that clear a dead lock, the slower may lift a live one: it is put back. */
function moveAside(file: string, dead: LockOwner | null): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const lifted = readOwner(aside);
  if (lifted !== null && lifted.epoch !== dead?.epoch && isAlive(lifted)) tryLink(aside, file);
  rmSync(aside);
}

function linkWhole(file: string, text: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { flush: true });
  const isLinked = tryLink(draft, file);
  rmSync(draft);
  return isLinked;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readOwner(file: string): LockOwner | null {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Partial<LockOwner>;
    return {
      pid: owner.pid ?? 0,
      startedAt: owner.startedAt ?? '',
      bootId: owner.bootId ?? '',
      epoch: owner.epoch ?? 0,
    };
  } catch {
    return null;
  }
}

function isAlive(owner: LockOwner): boolean {
  if (owner.bootId !== bootId()) return false;
  const startedAt = startTimeOf(owner.pid);
  return startedAt !== null && startedAt === owner.startedAt;
}

/** Start time of a live process, '' where the system does not tell, null where there is no such process. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and brackets: fields count from behind its last bracket (proc(5), field 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? '');
  } catch {
    if (existsSync('/proc/self/stat')) return null;
  }
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    // The process is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : null;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
