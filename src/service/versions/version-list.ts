import { listManifests } from '../../checkpoint/checkpoint-store.ts';
import type { PromotionState } from '../../promotion/gate.ts';
import { partitionName } from '../../records.ts';
import type { VersionList } from '../../serving/version-control.ts';

/** The versions of a state directory with what `promotion.json` says of them. */
export function versionList(dir: string, servedModel: string, state: PromotionState | null): VersionList {
  const served = state?.served ?? null;
  const isPinned = state?.isPinned ?? false;
  return {
    served,
    previous: state?.previous ?? null,
    isPinned,
    heldInARow: state?.heldInARow ?? 0,
    versions: listManifests(dir).map(({ id, step, createdAt, positions, models }) => ({
      id,
      step,
      savedAt: createdAt,
      positions: Object.fromEntries(positions.map((position) => [partitionName(position), position.nextOffset])),
      scores: models[servedModel]?.recent ?? {},
      isServed: id === served,
      isPinned: id === served && isPinned,
      decision: state?.decisions[id] ?? null,
    })),
  };
}
