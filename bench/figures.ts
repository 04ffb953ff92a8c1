import type { Measurement, Run } from './measure.ts';
import { median } from './measure.ts';
import { subjects, type Subject } from './subjects.ts';

/** One line of the result document: a median with the runs that it is of. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly runs: readonly number[];
  /** The program that the figure is of where it is not this one. */
  readonly against: string | null;
  readonly note: string | null;
}

interface FigureKind {
  readonly unit: string;
  readonly better: Figure['better'];
  of(run: Run, subject: Subject): number;
}

/** What can be said of a run. */
export const figureKinds = {
  rowsPerSecond: { unit: 'rows/s', better: 'higher', of: ({ rows, seconds }) => rows / seconds },
  cpuSecondsPerMillion: {
    unit: 'CPU-s per million',
    better: 'lower',
    of: ({ rows, cpuSeconds }) => (cpuSeconds / rows) * 1e6,
  },
  msPerStep: {
    unit: 'ms',
    better: 'lower',
    of: ({ rows, seconds }, { rowsPerStep = NaN }) => (seconds * 1000 * rowsPerStep) / rows,
  },
  p50Ms: { unit: 'ms', better: 'lower', of: ({ ageMs }) => ageMs?.p50 ?? NaN },
  p99Ms: { unit: 'ms', better: 'lower', of: ({ ageMs }) => ageMs?.p99 ?? NaN },
  peakRssMiB: { unit: 'MiB', better: 'lower', of: ({ peakRssBytes }) => peakRssBytes / 2 ** 20 },
} as const satisfies Record<string, FigureKind>;

/** The figures of a subject, in the order of the table. */
export function figuresOf(subject: Subject, { runs, note }: Measurement): readonly Figure[] {
  return subject.figures.map((name) => {
    const kind: FigureKind = figureKinds[name];
    const values = runs.map((run) => kind.of(run, subject));
    const { unit, better } = kind;
    const { against = null } = subject;
    return { name: `${subject.name}.${name}`, value: median(values), unit, better, runs: values, against, note };
  });
}

/** Names of the figures that were to be found and were not, or are not finite numbers. */
export function missingFigures(found: readonly Figure[], excused: ReadonlySet<string> = new Set()): readonly string[] {
  const known = new Set(found.filter(({ value }) => Number.isFinite(value)).map(({ name }) => name));
  return subjects
    .filter(({ name }) => !excused.has(name))
    .flatMap(({ name, figures }) => figures.map((figure) => `${name}.${figure}`))
    .filter((name) => !known.has(name));
}
