import type { StageShares, TimedStage } from './stage-meter.ts';
import { percentOf } from './words.ts';

/** Where records can be held up. `source` is the broker, the log or the file, and reading it. */
export type Stage = 'source' | TimedStage;

/** Which stage bounds throughput now, and how that is known. */
export interface Bottleneck {
  /** A stage; `none` where nothing holds records up; `unknown` where what was measured does not say. */
  readonly bound: Stage | 'none' | 'unknown';
  readonly because: string;
  /** By stage the share of the time that it took lately, 0 to 1; null before a second was measured. */
  readonly shares: Readonly<Record<Stage, number>> | null;
  /** How full the ring between the threads was on average, 0 to 1. */
  readonly ring: number | null;
}

export interface BottleneckFacts {
  readonly shares: StageShares | null;
  readonly rowsPerSecond: number;
  /** Null where the source does not know how far it is behind. */
  readonly lagRecords: number | null;
}

/** A thread busy for this share of the time is full: the rest goes to handing over. */
const full = 0.75;
/** A thread busy for less than this has time to spare. */
const spare = 0.5;
/** A ring filled to this on average makes the main thread wait. */
const ringFull = 0.9;

/**
 * The rule. Two threads work in a row with the ring between them, so that one of them, or what feeds them, is the limit:
 *
 * 1. The trainer's thread is full (or the ring before it is): the step bounds, or the checkpoint where its pauses took longer.
 * 2. The main thread is full: the most costly of decode, operators and, as what is left, reading (fetching, CRCs, unpacking).
 * 3. Both have time to spare while more than a second of records waits in the log: what feeds them bounds.
 * 4. Both have time to spare and no more waits: nothing bounds, records are learned as they come.
 * 5. Else what was measured does not say, as where several programs share the processors.
 */
export function bottleneckOf(facts: BottleneckFacts): Bottleneck {
  const { shares } = facts;
  if (shares === null) {
    return { bound: 'unknown', because: 'told when a second of work was measured', shares: null, ring: null };
  }
  const { decode, operators, step, checkpoint, ring } = shares;
  const byStage = { source: readingShare(shares), decode, operators, step, checkpoint };
  return { ...verdict(shares, facts), shares: byStage, ring };
}

type Verdict = Pick<Bottleneck, 'bound' | 'because'>;

function verdict(shares: StageShares, { rowsPerSecond, lagRecords }: BottleneckFacts): Verdict {
  const { step, checkpoint, main, ring } = shares;
  const trainer = step + checkpoint;
  if (trainer >= full || ring >= ringFull) return trainerBound(shares);
  if (main >= full) return mainBound(shares);
  const threads = `the trainer works ${percent(trainer)} of the time, the main thread ${percent(main)}`;
  if ((lagRecords ?? 0) > rowsPerSecond) {
    const isSpare = trainer < spare && main < spare;
    return isSpare
      ? { bound: 'source', because: `records wait to be read, yet ${threads}` }
      : { bound: 'unknown', because: `records wait, but no thread is full: ${threads}` };
  }
  if (rowsPerSecond === 0) return { bound: 'none', because: 'idle: waiting for records' };
  return { bound: 'none', because: `records are learned as they come: ${threads}` };
}

function trainerBound({ step, checkpoint, ring }: StageShares): Verdict {
  if (checkpoint > step) {
    return { bound: 'checkpoint', because: `learning pauses ${percent(checkpoint)} of the time while state is saved` };
  }
  const queue = ring >= ringFull ? ', and the ring before it is full' : '';
  return { bound: 'step', because: `the trainer is in its steps ${percent(step)} of the time${queue}` };
}

function mainBound(shares: StageShares): Verdict {
  const { decode, operators, main } = shares;
  const candidates = [
    { bound: 'source', share: readingShare(shares), work: 'reading' },
    { bound: 'decode', share: decode, work: 'decoding' },
    { bound: 'operators', share: operators, work: 'deriving and normalizing' },
  ] as const;
  const { bound, share, work } = candidates.reduce((most, each) => (each.share > most.share ? each : most));
  return { bound, because: `the main thread works ${percent(main)} of the time, ${percent(share)} on ${work}` };
}

/** What the main thread did besides its timed work: above all reading, but also the page. */
function readingShare({ main, decode, operators, checkpoint }: StageShares): number {
  return Math.max(0, main - decode - operators - checkpoint);
}

function percent(share: number): string {
  return percentOf(share).replace(/\.\d/, '');
}
