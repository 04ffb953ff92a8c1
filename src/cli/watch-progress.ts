import { stderr } from 'node:process';
import type { Logger } from 'pino';
import { progressLine } from './progress-line.ts';
import type { Service } from '../service/service.ts';

const logEveryMs = 30_000;
const drawEveryMs = 500;

/** Shows how a run goes: a progress line on a terminal, a sentence in the log now and then elsewhere. Returns its end. */
export function watchProgress(service: Service, logger: Logger): () => void {
  if (!stderr.isTTY) {
    const timer = setInterval(() => {
      logger.info(service.board.status().sentence);
    }, logEveryMs);
    return () => {
      clearInterval(timer);
    };
  }
  const line = progressLine('records');
  const timer = setInterval(() => {
    const { outcomesOfRun, lags } = service.progress;
    const left = lags.reduce((sum, { records }) => sum + (records ?? 0), 0);
    line.update(outcomesOfRun.read, outcomesOfRun.read + left);
  }, drawEveryMs);
  return () => {
    clearInterval(timer);
    line.end();
  };
}
