import { existsSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, messageOf } from '../errors.ts';
import { acquireLock, isLock, type ProcessLock } from '../process-lock.ts';
import type { Snapshot } from '../records.ts';
import { makeDirectory, settleDirectory, writeDurably } from '../durable-files.ts';
import { formatVersion, sha256, type CheckpointFacts, type Manifest, type ManifestFile } from './manifest.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-file.ts';

const idPattern = /^checkpoint-\d{12}$/;
/** What is being written or removed; the next start clears it away. */
const draftPrefix = 'tmp-';
const pointerName = 'latest';
const manifestName = 'manifest.json';
/** Holds the digest of the manifest, which holds those of all other files. */
const sealName = 'manifest.sha256';

export interface Checkpoint {
  readonly manifest: Manifest;
  readonly parts: ReadonlyMap<string, Snapshot>;
}

export interface StoredCheckpoint {
  readonly id: string;
  /** Null where the manifest itself cannot be read. */
  readonly manifest: Manifest | null;
  readonly isIntact: boolean;
  /** Why not, else ''. */
  readonly problem: string;
}

/** Called at named points of a save, so that tests can kill the process there. */
export type SavePoint = 'checkpoint.partsWritten' | 'checkpoint.renamed' | 'checkpoint.saved';

/** What a save wrote. */
export interface SavedFiles {
  readonly id: string;
  readonly bytes: number;
}

export interface CheckpointStore {
  /**
   * Writes one checkpoint: when it resolves the state survives a power cut. One at a time; the thread is free meanwhile.
   * @throws CheckpointError
   */
  save(facts: CheckpointFacts, parts: ReadonlyMap<string, Snapshot>): Promise<SavedFiles>;
  /**
   * The newest checkpoint that is whole; each damaged one before it is told to `onDamaged`. Null in a fresh directory.
   * @throws CheckpointError where there are checkpoints and none is whole: to begin anew would in time remove them all.
   */
  latest(onDamaged: (id: string, problem: string) => void): Checkpoint | null;
  /** Manifests of the checkpoints that are kept, newest first; their files are not looked at. */
  manifests(): readonly Manifest[];
  /** One checkpoint; null where it is not there or damaged. */
  read(id: string): Checkpoint | null;
  /** Keeps these beside the newest ones, from now on and instead of those named before. */
  spare(ids: readonly string[]): void;
  /** Gives the lock back. */
  close(): void;
}

/**
 * Opens a state directory for the one process that may write it.
 * @throws CheckpointError 'checkpoint.locked' where another live process has it.
 */
export function openCheckpoints(
  dir: string,
  options: { readonly keep: number; readonly onSavePoint?: (point: SavePoint) => void },
): CheckpointStore {
  makeDirectory(dir);
  const lock = takeLock(dir);
  for (const name of readdirSync(dir)) {
    if (name.startsWith(draftPrefix)) rmSync(join(dir, name), { recursive: true });
  }
  const reached = options.onSavePoint ?? (() => undefined);
  let spared: ReadonlySet<string> = new Set();
  let lastNumber = Math.max(0, ...checkpointIds(dir).map(numberOf));

  async function save(facts: CheckpointFacts, parts: ReadonlyMap<string, Snapshot>): Promise<SavedFiles> {
    refuseIfStale(dir, lock);
    const id = `checkpoint-${String(++lastNumber).padStart(12, '0')}`;
    const draft = join(dir, `${draftPrefix}${id}-${process.pid}`);
    try {
      makeDirectory(draft);
      const files = await writeParts(draft, parts);
      const manifest: Manifest = {
        format: formatVersion,
        id,
        createdAt: new Date().toISOString(),
        writerEpoch: lock.epoch,
        ...facts,
        files,
      };
      const text = JSON.stringify(manifest, null, 2);
      await Promise.all([
        writeDurably(join(draft, manifestName), text),
        writeDurably(join(draft, sealName), sha256(text)),
      ]);
      await settleDirectory(draft);
      reached('checkpoint.partsWritten');
      refuseIfStale(dir, lock);
      await rename(draft, join(dir, id));
      await settleDirectory(dir);
      reached('checkpoint.renamed');
      await pointTo(dir, id);
      reached('checkpoint.saved');
      await prune(dir, options.keep, spared);
      return { id, bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (error instanceof CheckpointError) throw error;
      throw new CheckpointError(
        'checkpoint.failed',
        `${dir}: cannot write checkpoint ${id} (${messageOf(error)}). Free space or correct the permissions; the one before it stays.`,
        { cause: error, retriable: true },
      );
    }
  }

  return {
    save,
    latest: (onDamaged) => latestIntact(dir, onDamaged),
    manifests: () => listManifests(dir),
    read: (id) => readIntact(dir, id).checkpoint,
    spare: (ids) => {
      spared = new Set(ids);
    },
    close: () => {
      lock.release();
    },
  };
}

/** Every checkpoint of a directory, newest first, with every digest verified. Takes no lock: one that goes meanwhile is left out. */
export function listCheckpoints(dir: string): {
  readonly checkpoints: readonly StoredCheckpoint[];
  readonly pointer: string | null;
} {
  const pointerFile = join(dir, pointerName);
  const pointer = existsSync(pointerFile) ? readFileSync(pointerFile, 'utf8').trim() : null;
  return {
    checkpoints: checkpointIds(dir)
      .reverse()
      .map((id) => verify(dir, id))
      .filter(({ id, isIntact }) => isIntact || existsSync(join(dir, id))),
    pointer,
  };
}

/** What each checkpoint of a directory says of itself, newest first, with its parts unread; damaged manifests are left out. */
export function listManifests(dir: string): readonly Manifest[] {
  return checkpointIds(dir)
    .reverse()
    .map((id) => readManifest(dir, id))
    .filter((manifest) => typeof manifest !== 'string');
}

function takeLock(dir: string): ProcessLock {
  const newest = checkpointIds(dir).at(-1);
  const lastEpoch = newest === undefined ? 0 : (verify(dir, newest).manifest?.writerEpoch ?? 0);
  const lock = acquireLock(join(dir, 'lock'), lastEpoch);
  if (isLock(lock)) return lock;
  throw new CheckpointError(
    'checkpoint.locked',
    `${dir}: process ${lock.pid} is using this state. Stop it first, or give checkpoint.dir another directory.`,
  );
}

function refuseIfStale(dir: string, lock: ProcessLock): void {
  if (lock.isHeld()) return;
  throw new CheckpointError(
    'checkpoint.locked',
    `${dir}: another process took this state over (this one is epoch ${lock.epoch}). Nothing more is written here.`,
  );
}

async function writeParts(draft: string, parts: ReadonlyMap<string, Snapshot>): Promise<readonly ManifestFile[]> {
  const files = [...parts].flatMap(([part, snapshot]) => {
    const { json, arrays } = encodeSnapshot(snapshot);
    return [
      { name: `${part}.json`, data: json },
      { name: `${part}.bin`, data: arrays },
    ];
  });
  await Promise.all(files.map(({ name, data }) => writeDurably(join(draft, name), data)));
  return files.map(({ name, data }) => ({ name, bytes: Buffer.byteLength(data), sha256: sha256(data) }));
}

async function pointTo(dir: string, id: string): Promise<void> {
  const draft = join(dir, `${pointerName}.tmp`);
  await writeDurably(draft, `${id}\n`);
  await rename(draft, join(dir, pointerName));
  await settleDirectory(dir);
}

function latestIntact(dir: string, onDamaged: (id: string, problem: string) => void): Checkpoint | null {
  const problems: string[] = [];
  for (const id of checkpointIds(dir).reverse()) {
    const { checkpoint, problem } = readIntact(dir, id);
    if (checkpoint !== null) return checkpoint;
    onDamaged(id, problem);
    problems.push(`${id} (${problem})`);
  }
  if (problems.length === 0) return null;
  throw new CheckpointError(
    'checkpoint.damaged',
    `${dir}: no checkpoint is whole: ${problems.join(', ')}. Restore one from a copy, or start anew with --fresh, which moves them aside.`,
  );
}

function readIntact(dir: string, id: string): { readonly checkpoint: Checkpoint | null; readonly problem: string } {
  if (!idPattern.test(id)) return { checkpoint: null, problem: 'is no name of a checkpoint' };
  const { isIntact, manifest, problem } = verify(dir, id);
  if (!isIntact || manifest === null) return { checkpoint: null, problem };
  return { checkpoint: { manifest, parts: readParts(dir, manifest) }, problem };
}

function verify(dir: string, id: string): StoredCheckpoint {
  const damaged = (manifest: Manifest | null, problem: string): StoredCheckpoint => ({
    id,
    manifest,
    isIntact: false,
    problem,
  });
  const manifest = readManifest(dir, id);
  if (typeof manifest === 'string') return damaged(null, manifest);
  for (const file of manifest.files) {
    try {
      if (sha256(readFileSync(join(dir, id, file.name))) !== file.sha256)
        return damaged(manifest, `${file.name}: digest differs`);
    } catch (error) {
      return damaged(manifest, `${file.name}: ${messageOf(error)}`);
    }
  }
  return { id, manifest, isIntact: true, problem: '' };
}

/** The manifest, or what is wrong with it. */
function readManifest(dir: string, id: string): Manifest | string {
  try {
    const text = readFileSync(join(dir, id, manifestName), 'utf8');
    if (sha256(text) !== readFileSync(join(dir, id, sealName), 'utf8')) return `${manifestName}: digest differs`;
    const manifest = JSON.parse(text) as Manifest;
    return manifest.format === formatVersion
      ? manifest
      : `format ${manifest.format}, this program reads ${formatVersion}`;
  } catch (error) {
    return `${manifestName}: ${messageOf(error)}`;
  }
}

function readParts(dir: string, manifest: Manifest): Map<string, Snapshot> {
  const parts = new Map<string, Snapshot>();
  for (const { name } of manifest.files) {
    if (!name.endsWith('.json')) continue;
    const part = name.slice(0, -'.json'.length);
    const json = readFileSync(join(dir, manifest.id, name), 'utf8');
    parts.set(part, decodeSnapshot(json, readFileSync(join(dir, manifest.id, `${part}.bin`))));
  }
  return parts;
}

/**
 * Renamed first: a kill half-way through the removal must not leave a damaged checkpoint behind. At once for all, before the
 * thread is free and others are spared.
 */
async function prune(dir: string, keep: number, spared: ReadonlySet<string>): Promise<void> {
  const ids = checkpointIds(dir)
    .slice(0, -keep)
    .filter((id) => !spared.has(id));
  const goners = ids.map((id) => {
    const goner = join(dir, `${draftPrefix}pruned-${id}`);
    renameSync(join(dir, id), goner);
    return goner;
  });
  for (const goner of goners) await rm(goner, { recursive: true });
}

/** Oldest first. */
function checkpointIds(dir: string): string[] {
  return existsSync(dir)
    ? readdirSync(dir)
        .filter((name) => idPattern.test(name))
        .sort()
    : [];
}

function numberOf(id: string): number {
  return Number(id.slice('checkpoint-'.length));
}
