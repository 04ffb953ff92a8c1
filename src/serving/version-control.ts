import type { Metrics, PromotionDecision } from '../records.ts';

/** A version as operators see it. */
export interface ListedVersion {
  readonly id: string;
  /** Steps of the served model. */
  readonly step: number;
  /** ISO 8601. */
  readonly savedAt: string;
  /** Next offset by `topic:partition`. */
  readonly positions: Readonly<Record<string, number>>;
  /** Recent prequential scores of the served model when it was saved. */
  readonly scores: Metrics;
  readonly isServed: boolean;
  readonly isPinned: boolean;
  /** The latest decision about it; null where it was never judged. */
  readonly decision: PromotionDecision | null;
}

/** The versions of a pipeline, newest first. */
export interface VersionList {
  readonly served: string | null;
  readonly previous: string | null;
  readonly isPinned: boolean;
  /** Versions that were not promoted since the last one that was. */
  readonly heldInARow: number;
  readonly versions: readonly ListedVersion[];
}

/** An operator's hand on what is served; each resolves to what came of it when it is saved, or rejects with the PromotionError that says why not. */
export interface VersionControl {
  list(): VersionList;
  /** Serves this version until `unpin`. */
  pin(version: string): Promise<VersionList>;
  unpin(): Promise<VersionList>;
  /** Serves the version before the served one until `unpin`. */
  rollBack(): Promise<VersionList>;
}
