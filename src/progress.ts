import {
  partitionName,
  type Outcomes,
  type PartitionProgress,
  type StepReport,
  type TrainerOutcomes,
} from './records.ts';
import type { Telemetry, TelemetryEvent } from './telemetry.ts';

/** How far reading is behind the end of one partition. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  /** Records not yet read, null where the source does not know the partition's end. */
  readonly records: number | null;
}

/** Blocks remembered as read and not yet observed; beyond it the newest ones are merged. */
const maxBlocksInFlight = 4096;

const nothing: Outcomes = { read: 0, trained: 0, rejected: 0, filtered: 0, unlabelled: 0, pending: 0 };
const untrained: TrainerOutcomes = { trained: 0, rejected: 0, unlabelled: 0, pending: 0 };

/**
 * Counts from telemetry what metrics and the live page both show: outcomes, lag and freshness.
 * Cheap: a few additions an event. One instance is shared by those who show it, and is told each event before they are.
 */
export class Progress implements Telemetry {
  readonly now: () => number;
  #restored: Outcomes = nothing;
  #read = 0;
  /** Rejected on the way to the trainer; what the trainer rejects is in its reports. */
  #rejected = 0;
  #filtered = 0;
  #trainer: TrainerOutcomes = untrained;
  #report: StepReport | null = null;
  readonly #partitions = new PartitionLags();
  readonly #predicted = new PartitionLags();
  /** Blocks read and not yet observed, oldest first: records read when each was in, and its newest timestamp. */
  readonly #inFlight: { read: number; timestampMs: number }[] = [];
  /** Records of this run that are settled or with the trainer. */
  #passed = 0;
  #readHere = 0;
  #newestReadMs: number | null = null;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /**
   * Goes on from the whole-life counts of a checkpoint, and from what its trainer would report where that is known, so
   * that scores are there before the first batch. Called before the first event, if at all.
   */
  restore(outcomes: Outcomes, trainer: TrainerOutcomes, report: StepReport | null = null): void {
    this.#report = report;
    this.#restored = outcomes;
    this.#read = outcomes.read;
    this.#rejected = outcomes.rejected - trainer.rejected;
    this.#filtered = outcomes.filtered;
    this.#trainer = trainer;
    // Rows that the batcher goes on with are observed in this run without being read in it.
    this.#passed = trainer.pending - outcomes.pending;
  }

  emit(event: TelemetryEvent): void {
    switch (event.type) {
      case 'recordsRead':
        this.#read += event.records;
        this.#readHere += event.records;
        this.#partitions.see(event);
        if (event.records === 0) break;
        this.#newestReadMs = event.newestTimestampMs;
        this.#enterFlight(event.newestTimestampMs);
        break;
      case 'endOffsetSeen':
        this.#partitions.see({ ...event, nextOffset: -1 });
        break;
      case 'predictionsWritten':
        for (const partition of event.partitions) this.#predicted.see(partition);
        break;
      case 'predictionPartitionSeen':
        this.#predicted.see(event);
        break;
      case 'recordsRejected':
        this.#rejected += event.records;
        this.#pass(event.records);
        break;
      case 'recordsFiltered':
        this.#filtered += event.records;
        this.#pass(event.records);
        break;
      case 'batchObserved':
        this.#report = event.report;
        this.#trainer = event.report.outcomes;
        this.#pass(event.report.rowCount);
        break;
      default: // the rest moves no count
    }
  }

  /** Counts of the pipeline's whole life; the rest that has no other outcome is pending. */
  get outcomes(): Outcomes {
    const { trained, unlabelled } = this.#trainer;
    const rejected = this.#rejected + this.#trainer.rejected;
    const pending = this.#read - trained - rejected - this.#filtered - unlabelled;
    return { read: this.#read, trained, rejected, filtered: this.#filtered, unlabelled, pending };
  }

  /** Counts of this run alone; `pending` is the change, which may be negative. */
  get outcomesOfRun(): Outcomes {
    const [whole, before] = [this.outcomes, this.#restored];
    return {
      read: whole.read - before.read,
      trained: whole.trained - before.trained,
      rejected: whole.rejected - before.rejected,
      filtered: whole.filtered - before.filtered,
      unlabelled: whole.unlabelled - before.unlabelled,
      pending: whole.pending - before.pending,
    };
  }

  /** The latest report of the trainer, null before the first. */
  get report(): StepReport | null {
    return this.#report;
  }

  /** By partition, in the order they were first seen. */
  get lags(): readonly PartitionLag[] {
    return this.#partitions.lags;
  }

  /** The same of predictions to a topic: records not yet predicted. */
  get predictionLags(): readonly PartitionLag[] {
    return this.#predicted.lags;
  }

  /**
   * Age in seconds of the oldest record that the trainer has not seen, 0 where there is none: exact to a block for
   * records read, and for records still in the log at most the age of the newest one read.
   */
  get lagSeconds(): number {
    const oldest = this.#inFlight[0]?.timestampMs ?? (this.#isBehind ? this.#newestReadMs : null);
    return oldest === null ? 0 : secondsBetween(oldest, this.now());
  }

  /** Now − record timestamp of the newest learned record, in seconds; null before the first. */
  get freshnessSeconds(): number | null {
    const newest = this.#report?.newestTimestampMs ?? null;
    return newest === null ? null : secondsBetween(newest, this.now());
  }

  /** Now − event time of the newest learned record, in seconds: years where old data is played. */
  get eventTimeLagSeconds(): number | null {
    const newest = this.#report?.newestTimeMs ?? null;
    return newest === null ? null : secondsBetween(newest, this.now());
  }

  get #isBehind(): boolean {
    return this.lags.some((lag) => (lag.records ?? 0) > 0);
  }

  #enterFlight(timestampMs: number): void {
    const last = this.#inFlight.at(-1);
    if (last !== undefined && this.#inFlight.length >= maxBlocksInFlight) last.read = this.#readHere;
    else this.#inFlight.push({ read: this.#readHere, timestampMs });
  }

  #pass(records: number): void {
    this.#passed += records;
    let done = 0;
    while ((this.#inFlight[done]?.read ?? Infinity) <= this.#passed) done += 1;
    if (done > 0) this.#inFlight.splice(0, done);
  }
}

/** Partitions that are read, in the order they were first seen. */
class PartitionLags {
  readonly #partitions = new Map<string, { topic: string; partition: number; nextOffset: number; endOffset: number }>();

  /** An offset of -1 says nothing. */
  see({ topic, partition, nextOffset, endOffset }: PartitionProgress): void {
    const name = partitionName({ topic, partition });
    const seen = this.#partitions.get(name) ?? { topic, partition, nextOffset: -1, endOffset: -1 };
    if (nextOffset >= 0) seen.nextOffset = nextOffset;
    if (endOffset >= 0) seen.endOffset = endOffset;
    this.#partitions.set(name, seen);
  }

  get lags(): readonly PartitionLag[] {
    return [...this.#partitions.values()].map(({ topic, partition, nextOffset, endOffset }) => ({
      topic,
      partition,
      nextOffset,
      records: endOffset < 0 || nextOffset < 0 ? null : Math.max(0, endOffset - nextOffset),
    }));
  }
}

/** Never negative: clocks of producers run ahead at times. */
function secondsBetween(fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs) / 1000;
}
