import type { PartitionLag, Progress } from '../progress.ts';
import type { Metrics, ModelReport, PromotionDecision, RejectReason, ServingFacts, StepReport } from '../records.ts';
import type { Telemetry, TelemetryEvent } from '../telemetry.ts';
import { bottleneckOf } from './bottleneck.ts';
import type { FeaturesStatus } from './feature-report.ts';
import { History } from './history.ts';
import { RateMeter } from './rate-meter.ts';
import { betterBy, sentenceOf } from './sentence.ts';
import type { Comparison, State, Trouble } from './sentence.ts';
import { StageMeter, type Load, type StageShares } from './stage-meter.ts';
import type {
  CheckpointStatus,
  DeadLetterStatus,
  Identity,
  ModelStatus,
  PipelineStatus,
  ServingStatus,
  WorstKey,
} from './status.ts';
import { clockOf, countOf } from './words.ts';

/** A record that went to the dead letter. */
export interface DeadLetterNote {
  readonly reason: RejectReason;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Asked for letters that are shown. */
  readonly describe: () => { readonly preview: string; readonly detail: string };
}

/** What the board asks when it is looked at. */
export interface WatchedParts {
  readonly load: () => Load;
  /** Asked for every two seconds at the most. */
  readonly features: () => FeaturesStatus;
  /** Event time of the newest record that the served version learned, ISO 8601; null where it has none. */
  readonly trainedThrough: () => string | null;
}

const maxDeadLetters = 20;
/** Letters are decoded to be shown: of a flood these many in a tenth of a second. */
const lettersPerTick = 5;
const letterTickMs = 100;
const maxCheckpoints = 20;
const featuresEveryMs = 2000;
const maxPartitions = 100;
const maxDecisions = 10;
/** Versions held in a row that are more than the noise of a comparison. */
const worthSaying = 2;
const maxWarnings = 10;
const historyPoints = 600;
const historyIntervalMs = 250;
/** Conditions that hold from the start until the pipeline says otherwise. */
const startConditions = { source: 'the source has not joined yet', model: 'no model is in place yet' } as const;

/**
 * Keeps what the live page and the readiness check say. Fed by telemetry (after `progress`) and by the few calls below;
 * no timers: time passes when it is told something or asked. Memory is bounded whatever it is told.
 */
export class StatusBoard implements Telemetry {
  readonly #progress: Progress;
  readonly #startedAtMs: number;
  #identity: Identity | null = null;
  readonly #conditions = new Map<string, Trouble>();
  readonly #warnings = new Map<string, Trouble>();
  readonly #meter = new RateMeter();
  readonly #stages = new StageMeter();
  readonly #history = new History(historyPoints, historyIntervalMs);
  readonly #deadLetters: DeadLetterStatus[] = [];
  readonly #checkpoints: CheckpointStatus[] = [];
  #watched: WatchedParts | null = null;
  #features: { readonly atMs: number; readonly status: FeaturesStatus } | null = null;
  #worstKeys: readonly WorstKey[] | null = null;
  #letterTick = { atMs: -Infinity, letters: 0 };
  #serving: ServingFacts | null = null;
  readonly #decisions: PromotionDecision[] = [];
  #lastLearnedMs: number | null = null;
  #hasBeenReady = false;
  #isFinished = false;
  #version = 0;

  constructor(progress: Progress) {
    this.#progress = progress;
    this.#startedAtMs = progress.now();
    for (const [name, message] of Object.entries(startConditions)) this.setCondition(name, message);
  }

  /** Says what runs here. */
  describe(identity: Identity): void {
    this.#identity = identity;
    this.#version += 1;
  }

  /** Says whom to ask for what no event tells. */
  watch(parts: WatchedParts): void {
    this.#watched = parts;
  }

  /** Checkpoints of earlier runs, newest first. */
  recall(checkpoints: readonly CheckpointStatus[]): void {
    this.#checkpoints.push(...checkpoints.slice(0, maxCheckpoints - this.#checkpoints.length));
  }

  /** Decisions of earlier runs, latest first. */
  recallDecisions(decisions: readonly PromotionDecision[]): void {
    this.#decisions.push(...decisions.slice(0, maxDecisions - this.#decisions.length));
  }

  noteWorstKeys(keys: readonly WorstKey[]): void {
    this.#worstKeys = keys;
  }

  /**
   * Sets why the pipeline is not ready, by name (`model`, `rejectRatio`, `withheld`, `ended`, …), or with null that this
   * reason is gone. Its moment is when it was first set. `source` follows the telemetry; `model` holds until it is cleared.
   */
  setCondition(name: string, message: string | null): void {
    this.#note(this.#conditions, name, message);
    if (this.#conditions.size === 0) this.#hasBeenReady = true;
  }

  /** Bounded input is learned to its end; what is served stays served. */
  finish(): void {
    this.#isFinished = true;
    this.#version += 1;
    this.#addPoint(this.#progress.now());
  }

  noteDeadLetter({ reason, topic, partition, offset, describe }: DeadLetterNote): void {
    const atMs = this.#progress.now();
    this.#version += 1;
    if (atMs - this.#letterTick.atMs >= letterTickMs) this.#letterTick = { atMs, letters: 0 };
    this.#letterTick.letters += 1;
    if (this.#letterTick.letters > lettersPerTick) return;
    this.#deadLetters.unshift({ reason, topic, partition, offset, atMs, ...describe() });
    this.#deadLetters.length = Math.min(this.#deadLetters.length, maxDeadLetters);
  }

  emit(event: TelemetryEvent): void {
    this.#version += 1;
    const now = this.#progress.now();
    switch (event.type) {
      case 'sourceJoined':
        this.setCondition('source', null);
        break;
      case 'sourceInterrupted':
        this.setCondition('source', event.message);
        break;
      case 'registryRetried':
        this.setCondition('registry', event.message);
        break;
      case 'blockDecoded':
        this.setCondition('registry', null);
        this.#stages.add('decode', event.seconds);
        break;
      case 'blockDerived':
      case 'blockNormalized':
        this.#stages.add('operators', event.seconds);
        break;
      case 'batchObserved':
        this.#noteReport(event.report, now);
        break;
      case 'checkpointSaved':
        this.#stages.add('checkpoint', event.pauseSeconds);
        this.#noteCheckpoint({ ...event, atMs: now, score: this.#servedScore() });
        break;
      case 'checkpointFailed':
        this.#warn('checkpoint', `checkpoints fail: ${event.message}`);
        break;
      case 'checkpointDamaged':
        this.#warn(`damaged ${event.id}`, `checkpoint ${event.id} is damaged and was passed over: ${event.message}`);
        break;
      case 'promotionDecided':
        this.#noteDecision(event.decision, event.serving);
        break;
      case 'predictionsAwaited':
      case 'predictionsInterrupted':
        this.#warn('predictions', event.message);
        break;
      case 'predictionsJoined':
        this.#warnings.delete('predictions');
        break;
      case 'offsetsSkipped': {
        const partition = `${event.topic}:${event.partition}`;
        const gap = `from ${countOf(event.from)} to ${countOf(event.to)}`;
        this.#warn(`skipped ${partition}`, `offsets ${gap} of ${partition} were not in the log and are skipped`);
        break;
      }
      default: // counts and rates are asked of `progress`
    }
    if (this.#watched !== null) this.#stages.sample(now, this.#watched.load);
    if (this.#history.isDue(now)) this.#addPoint(now);
  }

  /** Why the pipeline is not ready; empty where it is. */
  get reasons(): readonly Trouble[] {
    return [...this.#conditions.values()];
  }

  get isReady(): boolean {
    return this.#conditions.size === 0;
  }

  /** Grows with everything told; the same number means that only time has passed. */
  get version(): number {
    return this.#version;
  }

  status(): PipelineStatus {
    const now = this.#progress.now();
    if (this.#history.isDue(now) && this.#lastLearnedMs !== null && !this.#isFinished) this.#addPoint(now);
    const { report, lags, lagSeconds, outcomes, freshnessSeconds, eventTimeLagSeconds } = this.#progress;
    const rowsPerSecond = this.#meter.perSecond(now);
    const state = this.#state(rowsPerSecond);
    const facts = {
      state,
      reasons: this.reasons,
      warnings: [...this.#warnings.values()],
      records: outcomes,
      rowsPerSecond,
      lagSeconds,
      lagRecords: sumOf(lags),
      lastLearnedMs: this.#lastLearnedMs,
    };
    const comparison = this.#comparison(state === 'finished' ? 'metrics' : 'recent');
    return {
      ...facts,
      identity: this.#identity,
      atMs: now,
      startedAtMs: this.#startedAtMs,
      sentence: sentenceOf({ ...facts, nowMs: now, comparison }),
      moments: [...facts.reasons, ...facts.warnings].map(({ sinceMs }) => ({ text: clockOf(sinceMs), ms: sinceMs })),
      isReady: this.isReady,
      freshnessSeconds,
      eventTimeLagSeconds,
      lags: furthestBehind(lags),
      partitions: lags.length,
      pendingLabels: report?.outcomes.pending ?? 0,
      oldestPendingMs: report?.oldestPendingMs ?? null,
      metric: leadingMetric(report),
      better: comparison === null ? null : betterBy(comparison),
      models: this.#models(),
      deadLetters: { total: outcomes.rejected, latest: [...this.#deadLetters] },
      bottleneck: bottleneckOf({ shares: this.#sharesAt(now), rowsPerSecond, lagRecords: facts.lagRecords }),
      features: this.#featuresAt(now),
      worstKeys: this.#worstKeys,
      checkpoints: [...this.#checkpoints],
      serving: this.#servingStatus(),
      history: { revision: this.#history.revision, points: this.#history.points },
    };
  }

  #state(rowsPerSecond: number): State {
    if (!this.isReady) {
      const isStarting = !this.#hasBeenReady && this.reasons.every(({ message }) => isStartMessage(message));
      return isStarting ? 'starting' : 'troubled';
    }
    if (this.#isFinished) return 'finished';
    return rowsPerSecond > 0 ? 'learning' : 'waiting';
  }

  /** Time passes without events, too. */
  #sharesAt(now: number): StageShares | null {
    if (this.#watched !== null) this.#stages.sample(now, this.#watched.load);
    return this.#stages.shares();
  }

  #featuresAt(now: number): FeaturesStatus | null {
    const isDue = this.#features === null || now - this.#features.atMs >= featuresEveryMs;
    if (isDue && this.#watched !== null) this.#features = { atMs: now, status: this.#watched.features() };
    return this.#features?.status ?? null;
  }

  #servingStatus(): ServingStatus | null {
    if (this.#serving === null) return null;
    const trainedThrough = this.#watched?.trainedThrough() ?? null;
    return { ...this.#serving, trainedThrough, decisions: [...this.#decisions] };
  }

  #servedScore(): number | null {
    const served = this.#servedReport();
    return served === null ? null : lately(served, leadingMetric(this.#progress.report));
  }

  #noteReport(report: StepReport, now: number): void {
    this.#stages.add('step', report.seconds);
    if (report.learnedRows === 0) return;
    this.#lastLearnedMs = now;
    this.#meter.add(report.learnedRows, now);
  }

  #noteCheckpoint({ id, step, atMs, seconds, bytes, score }: CheckpointStatus): void {
    this.#warnings.delete('checkpoint');
    this.#checkpoints.unshift({ id, step, atMs, seconds, bytes, score });
    this.#checkpoints.length = Math.min(this.#checkpoints.length, maxCheckpoints);
  }

  #noteDecision(decision: PromotionDecision | null, serving: ServingFacts): void {
    this.#serving = serving;
    if (decision !== null) this.#decisions.unshift(decision);
    this.#decisions.length = Math.min(this.#decisions.length, maxDecisions);
    if (serving.heldInARow === 0) this.#warnings.delete('promotion');
    else if (decision?.action === 'held' && serving.heldInARow >= worthSaying) {
      this.#warn('promotion', `newer models are held back, ${serving.served.id} is served: ${decision.message}`);
    }
  }

  #warn(name: string, message: string): void {
    this.#note(this.#warnings, name, message);
    const [oldest] = this.#warnings.keys();
    if (this.#warnings.size > maxWarnings && oldest !== undefined) this.#warnings.delete(oldest);
  }

  #note(troubles: Map<string, Trouble>, name: string, message: string | null): void {
    const before = troubles.get(name);
    if (before?.message === message || (before === undefined && message === null)) return;
    this.#version += 1;
    const isNew = before === undefined || isStartMessage(before.message);
    if (message === null) troubles.delete(name);
    else troubles.set(name, { message, sinceMs: isNew ? this.#progress.now() : before.sinceMs });
  }

  #addPoint(ms: number): void {
    const { report } = this.#progress;
    if (report === null) return;
    const metric = leadingMetric(report);
    const reports = [...Object.entries(report.models), ['baseline', report.baseline] as const];
    this.#history.add({
      ms,
      rowsPerSecond: this.#meter.perSecond(ms),
      loss: this.#servedReport()?.loss ?? null,
      scores: Object.fromEntries(reports.map(([name, each]) => [name, lately(each, metric)])),
    });
  }

  #servedReport(): ModelReport | null {
    const models = this.#progress.report?.models ?? {};
    return models[this.#identity?.served ?? ''] ?? Object.values(models)[0] ?? null;
  }

  #comparison(over: 'recent' | 'metrics'): Comparison | null {
    const { report } = this.#progress;
    const served = this.#servedReport();
    if (report === null || served === null) return null;
    const metric = leadingMetric(report);
    const of = (each: ModelReport): number | null =>
      over === 'recent' ? lately(each, metric) : (each.metrics[metric] ?? null);
    const [score, baselineScore] = [of(served), of(report.baseline)];
    if (score === null || baselineScore === null) return null;
    return { metric, score, baselineScore, baselineKind: report.baseline.kind };
  }

  #models(): readonly ModelStatus[] {
    const { report } = this.#progress;
    if (report === null) return [];
    const served = this.#servedReport();
    return [
      ...Object.entries(report.models).map(([name, each]) => {
        const role = each === served ? ('served' as const) : ('shadow' as const);
        return { name, role, ...each };
      }),
      { name: 'baseline', role: 'baseline' as const, ...report.baseline },
    ];
  }
}

function isStartMessage(message: string): boolean {
  return Object.values<string>(startConditions).includes(message);
}

/** Regression is led by `mae`, classification by `accuracy`. */
function leadingMetric(report: StepReport | null): string {
  const metrics: Metrics = report?.baseline.metrics ?? {};
  return 'accuracy' in metrics ? 'accuracy' : 'mae';
}

function lately(report: ModelReport, metric: string): number | null {
  return report.recent[metric] ?? report.metrics[metric] ?? null;
}

function furthestBehind(lags: readonly PartitionLag[]): readonly PartitionLag[] {
  if (lags.length <= maxPartitions) return lags;
  return lags.toSorted((a, b) => (b.records ?? 0) - (a.records ?? 0)).slice(0, maxPartitions);
}

function sumOf(lags: readonly PartitionLag[]): number | null {
  const known = lags.flatMap(({ records }) => (records === null ? [] : [records]));
  return known.length === 0 ? null : known.reduce((sum, records) => sum + records, 0);
}
