import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settleFile } from '../durable-files.ts';
import { CheckpointError, messageOf } from '../errors.ts';
import type { PromotionState } from './gate.ts';

const name = 'promotion.json';

type SavedState = Omit<PromotionState, 'servedSinceMs'> & Partial<Pick<PromotionState, 'servedSinceMs'>>;

/**
 * What a state directory says of which version is served; null where it says nothing yet.
 * @throws CheckpointError where the file cannot be read.
 */
export function readPromotion(dir: string): PromotionState | null {
  const file = join(dir, name);
  if (!existsSync(file)) return null;
  try {
    return withServedSince(JSON.parse(readFileSync(file, 'utf8')) as SavedState);
  } catch (error) {
    throw new CheckpointError(
      'checkpoint.damaged',
      `${file}: cannot be read (${messageOf(error)}). Remove it to serve the newest version and judge from there.`,
    );
  }
}

/** Files of before it was kept say when it was decided that the version is served. */
function withServedSince(state: SavedState): PromotionState {
  const { served, decisions, servedSinceMs = decisions[served]?.atMs ?? Date.now() } = state;
  return { ...state, servedSinceMs };
}

/** Survives a power cut when it resolves. One at a time. */
export function writePromotion(dir: string, state: PromotionState): Promise<void> {
  return settleFile(join(dir, name), `${JSON.stringify(state, null, 2)}\n`);
}
