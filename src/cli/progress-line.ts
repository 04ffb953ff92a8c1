import { stderr } from 'node:process';
import progress from 'cli-progress';

/** A line on a terminal that says how far a command is. */
export interface ProgressLine {
  update(done: number): void;
  /** Leaves the last state of the line behind. */
  stop(): void;
}

const silent: ProgressLine = { update: () => undefined, stop: () => undefined };

/**
 * Shows `unit`s done, the rate and the time left on stderr; says nothing where that is no terminal.
 * @param total Infinity where there is no end.
 */
export function progressLine(unit: string, total: number): ProgressLine {
  if (!stderr.isTTY) return silent;
  const isEndless = !Number.isFinite(total);
  const format = isEndless
    ? `{value} ${unit}, {rate}/s`
    : `{bar} {percentage} %  {value} of {total} ${unit}, {rate}/s, {eta_formatted} left`;
  const bar = new progress.SingleBar({ format, stream: stderr, hideCursor: true, barsize: 24 });
  const startedMs = performance.now();
  bar.start(isEndless ? 0 : total, 0, { rate: 0 });
  return {
    update: (done) => {
      bar.update(done, { rate: Math.round((done * 1000) / Math.max(1, performance.now() - startedMs)) });
    },
    stop: () => {
      bar.stop();
    },
  };
}
