import type { PromotionState } from '../../promotion/gate.ts';
import type { PromotionDecision } from '../../records.ts';

/** The latest decision about each version that is there, latest first. */
export function savedDecisions(state: PromotionState | null): readonly PromotionDecision[] {
  // One that is about two versions is kept with both.
  const byMoment = new Map(Object.values(state?.decisions ?? {}).map((each) => [`${each.atMs} ${each.action}`, each]));
  return [...byMoment.values()].sort((a, b) => b.atMs - a.atMs);
}
