import type {
  LabelledRows,
  LossComparison,
  PromotionAction,
  PromotionDecision,
  ServingFacts,
  TrialSlices,
  VersionFacts,
} from '../records.ts';
import { PromotionError } from '../errors.ts';
import type { Telemetry } from '../telemetry.ts';
import { compareLosses, fewestRows } from './loss-comparison.ts';
import { onRows } from './words.ts';

/** A version that can be served. */
export interface Contestant extends VersionFacts {
  /** The loss of each row, [rowCount]; Infinity where the prediction is not finite. */
  losses(rows: LabelledRows): Promise<Float64Array>;
}

/** What of the gate survives a restart. */
export interface PromotionState {
  readonly served: string;
  readonly servedSinceMs: number;
  readonly previous: string | null;
  readonly isPinned: boolean;
  readonly heldInARow: number;
  /** The latest decision about each version that is still there. */
  readonly decisions: Readonly<Record<string, PromotionDecision>>;
}

export interface GateOptions {
  /** Fractions by which a loss may lie above the other, on recent rows and on those before. */
  readonly margin: number;
  readonly forgetting: number;
  readonly confidence: number;
}

export interface GateParts<Version extends Contestant> {
  readonly options: GateOptions;
  /** What was kept of an earlier run; null where there was none. */
  readonly state: PromotionState | null;
  /** The version of a checkpoint; null where the checkpoint is gone or damaged. */
  readonly load: (id: string) => Version | null;
  /** Loss below which differences do not matter, for these rows. */
  readonly floorOf: (rows: LabelledRows) => number;
  /** Serves it from now on. */
  readonly serve: (version: Version) => void;
  /** Makes the state durable, in the order of the calls. */
  readonly save: (state: PromotionState) => void;
  /** Ids of the checkpoints that are there. */
  readonly ids: () => readonly string[];
  readonly telemetry: Telemetry;
  readonly now: () => number;
}

interface Compared {
  /** Null where there are too few rows. */
  readonly recent: LossComparison | null;
  readonly past: LossComparison | null;
}

interface Judgement extends Compared {
  readonly isFit: boolean;
  readonly message: string;
}

/**
 * Decides which version is served. A newer one replaces it only if it is shown not to be worse by more than the margin, on
 * recent rows and on those before; where the served one is shown to be worse than the one before it, that one is served again.
 * What an operator pins is served whatever comes. Training is not touched by any of this.
 */
export class PromotionGate<Version extends Contestant> {
  readonly #parts: GateParts<Version>;
  #served: Version | null = null;
  #servedSinceMs = 0;
  #previous: Version | null = null;
  #newest: VersionFacts | null = null;
  #isPinned = false;
  #heldInARow = 0;
  #decisions: Record<string, PromotionDecision>;

  constructor(parts: GateParts<Version>) {
    const { state } = parts;
    this.#parts = parts;
    this.#decisions = { ...state?.decisions };
    if (state === null) return;
    this.#isPinned = state.isPinned;
    this.#heldInARow = state.heldInARow;
    this.#previous = state.previous === null ? null : parts.load(state.previous);
    this.#served = parts.load(state.served);
    this.#servedSinceMs = state.servedSinceMs;
  }

  /** What is served, and how far behind; null before the first version. */
  get facts(): ServingFacts | null {
    const [served, newest] = [this.#served, this.#newest];
    if (served === null || newest === null) return null;
    return {
      served: factsOf(served),
      servedSinceMs: this.#servedSinceMs,
      previous: this.#previous?.id ?? null,
      newest,
      isPinned: this.#isPinned,
      heldInARow: this.#heldInARow,
    };
  }

  /** The latest decision about a version; null where it was never judged. */
  decisionOn(id: string): PromotionDecision | null {
    return this.#decisions[id] ?? null;
  }

  /**
   * Serves what was served when the process ended.
   * @returns whether `newest` is still to be judged: nothing is served, or the process ended before it was.
   * @throws PromotionError where a pinned version is gone.
   */
  resume(newest: VersionFacts): boolean {
    const { state, serve } = this.#parts;
    this.#newest = factsOf(newest);
    if (state !== null && this.#served === null) this.#replaceLost(state);
    if (this.#served === null) return true;
    serve(this.#served);
    this.#tell(null);
    return this.#decisions[newest.id] === undefined;
  }

  /** Judges a version that was saved just now. One at a time; an operator need not wait for it. */
  async offer(version: Version, slices: TrialSlices | null): Promise<void> {
    this.#newest = factsOf(version);
    await this.#returnWhereWorse(slices);
    const served = this.#served;
    if (served === null) {
      this.#promote(version, { message: 'it is the first' });
      return;
    }
    const judgement = await this.#compare(version, served, slices);
    if (this.#isPinned) this.#hold(version, { ...judgement, message: `${this.#served?.id ?? ''} is pinned` });
    else if (this.#served !== served) this.#hold(version, { message: 'another version was served meanwhile' });
    else if (judgement.isFit) this.#promote(version, judgement);
    else this.#hold(version, judgement);
  }

  /** Serves this version until `unpin`. @throws PromotionError where it is not there. */
  pin(id: string): void {
    const version = this.#served?.id === id ? this.#served : this.#parts.load(id);
    if (version === null)
      throw refusal(`there is no version ${id}, or it is damaged; \`millrace models CONFIG\` lists them`);
    this.#pin(version, 'pinned', 'an operator pinned it');
  }

  /** Lets newer versions replace the pinned one again. @throws PromotionError where none is pinned. */
  unpin(): void {
    // A pinned version that is lost is let go of too.
    const id = this.#served?.id ?? this.#parts.state?.served;
    if (id === undefined || !this.#isPinned) throw refusal('no version is pinned');
    this.#isPinned = false;
    this.#decide('unpinned', id, null, { message: 'an operator took the pin out; newer versions are judged again' });
  }

  /** Serves the version before the served one until `unpin`. @throws PromotionError where there is none. */
  rollBack(): void {
    const previous = this.#previous;
    if (previous === null) throw refusal('no version was served before this one; pin one by its name');
    this.#pin(previous, 'rolledBack', 'an operator rolled back');
  }

  #replaceLost(state: PromotionState): void {
    const lost = state.served;
    if (this.#isPinned)
      throw refusal(`the pinned version ${lost} is gone or damaged; \`millrace models unpin CONFIG\` lets go of it`);
    if (this.#previous === null) return;
    const back = this.#previous;
    this.#replace(back);
    this.#previous = null;
    this.#decide('returned', back.id, lost, { message: `${lost}, which was served, is gone or damaged` });
  }

  /** Goes back to the version before the served one where that is shown to do better; not from one that an operator chose. */
  async #returnWhereWorse(slices: TrialSlices | null): Promise<void> {
    const [served, previous] = [this.#served, this.#previous];
    if (served === null || previous === null || this.decisionOn(served.id)?.action !== 'promoted') return;
    const compared = await this.#comparisons(served, previous, slices);
    const where = this.#faults(compared, 'atLeast');
    const isAsBefore = this.#served === served && this.#previous === previous && !this.#isPinned;
    if (where === null || !isAsBefore) return;
    this.#replace(previous);
    this.#previous = null;
    this.#decide('returned', previous.id, served.id, { message: `${served.id} turned worse: ${where}`, ...compared });
    this.#parts.serve(previous);
  }

  async #compare(version: Version, served: Version, slices: TrialSlices | null): Promise<Judgement> {
    const compared = await this.#comparisons(version, served, slices);
    if (compared.recent === null) {
      const message = `fewer than ${fewestRows} labelled rows to compare it on`;
      return { isFit: false, message, recent: null, past: null };
    }
    const faults = this.#faults(compared, 'atMost');
    return { isFit: faults === null, message: faults ?? onRows('recent', compared.recent), ...compared };
  }

  /** On which rows a bound of the loss lies above what is allowed; null where on none. */
  #faults({ recent, past }: Compared, bound: 'atLeast' | 'atMost'): string | null {
    const { margin, forgetting } = this.#parts.options;
    const faults = [
      ...(recent !== null && recent[bound] > margin ? [onRows('recent', recent)] : []),
      ...(past !== null && past[bound] > forgetting ? [onRows('older', past)] : []),
    ];
    return faults.length === 0 ? null : faults.join(', ');
  }

  async #comparisons(version: Version, other: Version, slices: TrialSlices | null): Promise<Compared> {
    const { floorOf, options } = this.#parts;
    const compare = async (rows: LabelledRows): Promise<LossComparison | null> => {
      if (rows.rowCount < fewestRows) return null;
      const losses = await version.losses(rows);
      return compareLosses(losses, await other.losses(rows), floorOf(rows), options.confidence);
    };
    if (slices === null) return { recent: null, past: null };
    return { recent: await compare(slices.recent), past: await compare(slices.past) };
  }

  #promote(version: Version, details: Details): void {
    const served = this.#served;
    this.#replace(version);
    this.#previous = served;
    this.#heldInARow = 0;
    this.#decide('promoted', version.id, served?.id ?? null, details);
    this.#parts.serve(version);
  }

  #hold(version: Version, details: Details): void {
    this.#heldInARow += 1;
    this.#decide('held', version.id, this.#served?.id ?? null, details);
  }

  #pin(version: Version, action: 'pinned' | 'rolledBack', message: string): void {
    const served = this.#served;
    if (served !== null && served.id !== version.id) this.#previous = action === 'pinned' ? served : null;
    this.#replace(version);
    this.#isPinned = true;
    if (version.id === this.#newest?.id) this.#heldInARow = 0;
    this.#decide(action, version.id, served?.id ?? null, { message });
    this.#parts.serve(version);
  }

  #replace(version: Version): void {
    if (version.id !== this.#served?.id) this.#servedSinceMs = this.#parts.now();
    this.#served = version;
  }

  #decide(action: PromotionAction, id: string, other: string | null, details: Details): void {
    const { ids, save, now } = this.#parts;
    const { message, recent = null, past = null } = details;
    const decision = { action, version: id, other, message, recent, past, atMs: now() };
    const there = new Set(ids());
    const kept = Object.entries(this.#decisions).filter(([known]) => there.has(known));
    this.#decisions = { ...Object.fromEntries(kept), [id]: decision };
    const isBack = action === 'returned' || action === 'rolledBack';
    if (isBack && other !== null) this.#decisions[other] = decision;
    save({
      served: this.#served?.id ?? id,
      servedSinceMs: this.#servedSinceMs,
      previous: this.#previous?.id ?? null,
      isPinned: this.#isPinned,
      heldInARow: this.#heldInARow,
      decisions: this.#decisions,
    });
    this.#tell(decision);
  }

  #tell(decision: PromotionDecision | null): void {
    const { facts } = this;
    if (facts !== null) this.#parts.telemetry.emit({ type: 'promotionDecided', decision, serving: facts });
  }
}

interface Details extends Partial<Compared> {
  readonly message: string;
}

function factsOf({ id, step, savedAtMs }: VersionFacts): VersionFacts {
  return { id, step, savedAtMs };
}

function refusal(message: string): PromotionError {
  return new PromotionError('promotion.refused', message);
}
