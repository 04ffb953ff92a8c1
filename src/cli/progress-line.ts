import { stderr } from 'node:process';
import progress from 'cli-progress';

/** A line on a terminal that says how far a command is. */
export interface ProgressLine {
  /** Both in units; `total` is Infinity where there is no end, and may change. */
  update(done: number, total: number): void;
  /** Leaves the last state of the line behind. */
  end(): void;
}

const silent: ProgressLine = { update: () => undefined, end: () => undefined };

/** Shows `unit`s done, the rate and the time left on stderr; says nothing where that is no terminal. */
export function progressLine(unit: string): ProgressLine {
  if (!stderr.isTTY) return silent;
  const startedMs = performance.now();
  let bar: progress.SingleBar | null = null;
  return {
    update: (done, total) => {
      const isEndless = !Number.isFinite(total);
      const rate = Math.round((done * 1000) / Math.max(1, performance.now() - startedMs));
      if (bar === null) {
        const format = isEndless
          ? `{value} ${unit}, {rate}/s`
          : `{bar} {percentage} %  {value} of {total} ${unit}, {rate}/s, {eta_formatted} left`;
        bar = new progress.SingleBar({ format, stream: stderr, hideCursor: true, barsize: 24 });
        bar.start(isEndless ? 0 : total, done, { rate });
      }
      if (!isEndless) bar.setTotal(total);
      bar.update(done, { rate });
    },
    end: () => {
      bar?.stop();
    },
  };
}
