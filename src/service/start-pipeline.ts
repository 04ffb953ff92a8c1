import { pino } from 'pino';
import type { Config } from '../config/config.ts';
import type { MakeSource } from '../sources/source.ts';
import type { PipelineLogger } from './log-telemetry.ts';
import { startService } from './service.ts';
import { summaryOf, type RunSummary } from './summary.ts';

/** What runs, and how. */
export interface StartOptions {
  /** From `loadConfig(file).config` or `configOf(document)`. */
  readonly config: Config;
  /** Makes the source where the configuration says `source: { program: { topic } }`. */
  readonly source?: MakeSource;
  /** Read to the end that the input has now, and stop; by default the input is followed. Rows of a program end by themselves. */
  readonly isBounded?: boolean;
  /** Start anew; old state and dead letters move to `old-TIME/` in the state directory. */
  readonly isFresh?: boolean;
  /** By default nothing is logged. */
  readonly logger?: PipelineLogger;
}

/** A pipeline that runs in this process. */
export interface RunningPipeline {
  /** Where its page, metrics and predictions are; `millraceClient({ url })` asks it. */
  readonly url: string;
  /**
   * Resolves with the scores when the input has ended, a limit stopped reading, or `close` was called. Predictions are served until `close`.
   * Rejects with a `PipelineError` where the pipeline failed: close it and start another, which goes on from the last checkpoint.
   */
  readonly ended: Promise<RunSummary>;
  /** Stops reading, learns what is on its way to the trainer, saves it, and ends the page. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts in this process what `millrace run` is as a process of its own: reads, learns in a worker thread, saves checkpoints and
 * serves. It listens to no signal and ends no process: call `close` when yours ends.
 * @throws ConfigError, CheckpointError (also where another process uses the state) or SourceError (rejects).
 * @example
 * const running = await startPipeline({ config: loadConfig('turbines.yaml').config });
 * process.once('SIGTERM', () => void running.close());
 */
export async function startPipeline(options: StartOptions): Promise<RunningPipeline> {
  const { config, source, isBounded = false, isFresh = false, logger = pino({ enabled: false }) } = options;
  const service = await startService({ config, source, isBounded, isFresh, logger });
  const ended = service.ended.then((ending) => summaryOf(ending, config.serve));
  // Whoever waits for the end hears of it; a process must not die of it unheard.
  ended.catch(() => undefined);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    service.stop();
    await ended.catch(() => undefined);
    await service.close();
  };
  return {
    url: service.url,
    ended,
    close: () => (closing ??= close()),
  };
}
