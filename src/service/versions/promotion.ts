import type { Checkpoint, CheckpointStore } from '../../checkpoint/checkpoint-store.ts';
import { listManifests } from '../../checkpoint/checkpoint-store.ts';
import type { Config } from '../../config/config.ts';
import { messageOf } from '../../errors.ts';
import { trialSlices } from '../../operators/trial-rows.ts';
import { PromotionGate, type PromotionState } from '../../promotion/gate.ts';
import { readPromotion, writePromotion } from '../../promotion/promotion-file.ts';
import type { PromotionDecision, Snapshot, TrialSlices } from '../../records.ts';
import type { VersionControl, VersionList } from '../../serving/version-control.ts';
import type { Telemetry } from '../../telemetry.ts';
import { contestant, negligibleLoss, type CheckpointContestant } from './contestant.ts';
import type { LivePredictor } from './live-predictor.ts';
import { savedDecisions } from './saved-decisions.ts';
import type { SavedState } from './served-version.ts';
import { versionList } from './version-list.ts';

export interface PromotionParts {
  readonly config: Config;
  readonly store: CheckpointStore;
  readonly predictor: LivePredictor;
  readonly telemetry: Telemetry;
}

/** The gate between the checkpoints of a running pipeline and what it serves. */
export class Promotion implements VersionControl {
  readonly #parts: PromotionParts;
  readonly #gate: PromotionGate<CheckpointContestant>;
  #state: PromotionState | null;
  /** Rejects where judging fails, which ends the process as any error in the chain; never resolves. */
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  #waiting: { readonly saved: SavedState; readonly savedAtMs: number } | null = null;
  #judging: Promise<void> | null = null;
  /** One write behind the other. */
  #saving: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  /** @throws CheckpointError where `promotion.json` cannot be read. */
  constructor(parts: PromotionParts) {
    const { config, predictor, telemetry } = parts;
    this.#parts = parts;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever looks decides; unseen it must not end the process.
    this.failed.catch(() => undefined);
    this.#state = readPromotion(config.checkpoint.dir);
    this.#spare();
    this.#gate = new PromotionGate({
      options: config.promotion,
      state: this.#state,
      load: (id) => this.#load(id),
      floorOf: (rows) => negligibleLoss(rows, config),
      serve: ({ version }) => {
        predictor.publish(version);
      },
      save: (state) => {
        this.#save(state);
      },
      ids: () => listManifests(config.checkpoint.dir).map(({ id }) => id),
      telemetry,
      now: () => Date.now(),
    });
  }

  /** Serves what was served before, and judges the newest checkpoint where that was not done. */
  async resume({ manifest, parts }: Checkpoint): Promise<void> {
    const { id, step, createdAt } = manifest;
    if (!this.#gate.resume({ id, step, savedAtMs: Date.parse(createdAt) })) return;
    const judged = this.offer({ ...manifest, parts }, Date.parse(createdAt));
    // The first takes no time, since there is nothing to compare it with.
    if (this.#parts.predictor.version === null) await judged;
  }

  /**
   * Judges a checkpoint that was saved just now, apart from the stream: while one is judged others may come, and the newest
   * of them is judged next. Resolves when none is left.
   */
  offer(saved: SavedState, savedAtMs = Date.now()): Promise<void> {
    this.#waiting = { saved, savedAtMs };
    this.#judging ??= this.#judge();
    return this.#judging;
  }

  /** Leaves what is being judged to the next start; nothing is saved from when it resolves. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#saving;
  }

  /** The latest about each version that is there, latest first. */
  get decisions(): readonly PromotionDecision[] {
    return savedDecisions(this.#state);
  }

  list(): VersionList {
    const { checkpoint, serve } = this.#parts.config;
    return versionList(checkpoint.dir, serve, this.#state);
  }

  async pin(version: string): Promise<VersionList> {
    this.#gate.pin(version);
    return this.#savedList();
  }

  async unpin(): Promise<VersionList> {
    this.#gate.unpin();
    return this.#savedList();
  }

  async rollBack(): Promise<VersionList> {
    this.#gate.rollBack();
    return this.#savedList();
  }

  async #savedList(): Promise<VersionList> {
    await this.#saving;
    return this.list();
  }

  async #judge(): Promise<void> {
    try {
      for (let next = this.#waiting; next !== null; next = this.#waiting) {
        this.#waiting = null;
        const { saved, savedAtMs } = next;
        await this.#gate.offer(this.#contestant(saved, savedAtMs), this.#slicesOf(saved.parts));
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#fail(error);
    } finally {
      this.#judging = null;
    }
  }

  #contestant(saved: SavedState, savedAtMs: number): CheckpointContestant {
    return contestant(this.#parts.predictor.versionOf(saved), savedAtMs, this.#parts.config, this.#closing.signal);
  }

  #load(id: string): CheckpointContestant | null {
    const checkpoint = this.#parts.store.read(id);
    if (checkpoint === null) return null;
    const { manifest, parts } = checkpoint;
    return this.#contestant({ ...manifest, parts }, Date.parse(manifest.createdAt));
  }

  /** Null for a checkpoint of before rows were sampled. */
  #slicesOf(parts: ReadonlyMap<string, Snapshot>): TrialSlices | null {
    const part = parts.get('trial');
    return part === undefined ? null : trialSlices(part, this.#parts.config.promotion.rows);
  }

  /** A disk that takes no file does not end the process: the next decision writes the whole again. */
  #save(state: PromotionState): void {
    if (this.#closing.signal.aborted) return;
    this.#state = state;
    this.#spare();
    this.#saving = this.#saving.then(() => this.#write(state));
  }

  async #write(state: PromotionState): Promise<void> {
    try {
      await writePromotion(this.#parts.config.checkpoint.dir, state);
    } catch (error) {
      const message = `which version is served could not be saved (${messageOf(error)}); the next decision saves it`;
      this.#parts.telemetry.emit({ type: 'checkpointFailed', message });
    }
  }

  /** What is served, or was before, stays on disk. */
  #spare(): void {
    const { served, previous } = this.#state ?? { served: null, previous: null };
    this.#parts.store.spare([served, previous].filter((id) => id !== null));
  }
}
