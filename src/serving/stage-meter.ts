/** Parts of the pipeline whose work is timed. */
export type TimedStage = 'decode' | 'operators' | 'step' | 'checkpoint';

/** How the last seconds were spent: shares of the time that passed, 0 to 1. */
export interface StageShares extends Readonly<Record<TimedStage, number>> {
  /** How much of the time the main thread was busy, with whatever. */
  readonly main: number;
  /** How full the ring in front of the trainer was, on average. */
  readonly ring: number;
}

/** What is asked of the process with each sample. */
export interface Load {
  /** Time that the main thread's event loop was not idle, seconds, cumulative. */
  readonly mainBusySeconds: number;
  readonly ring: { readonly depth: number; readonly slots: number };
}

interface Sample {
  readonly ms: number;
  readonly seconds: Readonly<Record<TimedStage, number>>;
  readonly mainBusySeconds: number;
  readonly ringFill: number;
}

/** Shorter spans say too little. */
const shortestMs = 1000;

/** Adds up what stages say of their time, and tells shares of the last few seconds. Memory: some twenty samples. */
export class StageMeter {
  readonly #windowMs: number;
  readonly #spacingMs: number;
  readonly #seconds: Record<TimedStage, number> = { decode: 0, operators: 0, step: 0, checkpoint: 0 };
  readonly #samples: Sample[] = [];

  constructor(windowMs = 5000) {
    this.#windowMs = windowMs;
    this.#spacingMs = windowMs / 20;
  }

  add(stage: TimedStage, seconds: number): void {
    this.#seconds[stage] += seconds;
  }

  /** Asks for the load where a sample is due. */
  sample(nowMs: number, load: () => Load): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.ms < this.#spacingMs) return;
    const { mainBusySeconds, ring } = load();
    const ringFill = ring.slots === 0 ? 0 : ring.depth / ring.slots;
    this.#samples.push({ ms: nowMs, seconds: { ...this.#seconds }, mainBusySeconds, ringFill });
    while (this.#samples.length > 2 && this.#samples[1]!.ms <= nowMs - this.#windowMs) this.#samples.shift();
  }

  /** Null where less than a second was seen. */
  shares(): StageShares | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.ms - first.ms < shortestMs) return null;
    const share = (before: number, after: number): number =>
      Math.min(1, ((after - before) * 1000) / (last.ms - first.ms));
    const of = (stage: TimedStage): number => share(first.seconds[stage], last.seconds[stage]);
    return {
      decode: of('decode'),
      operators: of('operators'),
      step: of('step'),
      checkpoint: of('checkpoint'),
      main: share(first.mainBusySeconds, last.mainBusySeconds),
      ring: this.#samples.reduce((sum, { ringFill }) => sum + ringFill, 0) / this.#samples.length,
    };
  }
}
