import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { commandLogger } from './command-logger.ts';
import { printJson, printLine } from './command-output.ts';
import { positiveInteger } from './command-options.ts';
import { collectLessOften } from './heap-growth.ts';
import { startService, type Ending, type Service } from '../service/service.ts';
import { onStopSignal } from './stop-signals.ts';
import { summaryLines, summaryOf } from '../service/summary.ts';
import { watchProgress } from './watch-progress.ts';

export interface RunOptions {
  readonly once?: true;
  readonly fresh?: true;
  readonly seed?: number;
  readonly json?: true;
}

/** `millrace run CONFIG` */
export function defineRun(command: Command): void {
  command
    .argument('<config>', 'the configuration file')
    .option('--once', 'read to the end that the input has now, print the scores, and exit')
    .option('--fresh', 'start anew; the old state and dead letters move to old-TIME/ in the state directory')
    .option('--seed <n>', 'seed of the models (default: that of the configuration)', positiveInteger)
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText(
      'after',
      '\nSIGINT and SIGTERM save what was learned and end it with 0. A limit that was passed stops reading but not serving; with' +
        '\n--once it ends with 1.\n\nExample:\n  millrace run examples/housing/housing.yaml --once',
    )
    .action(async (file: string, options: RunOptions) => {
      const { config } = loadConfig(file);
      await runPipeline(withSeed(config, options.seed), options);
    });
}

/** The configuration with the seed of the command line, where it has one. */
export function withSeed(config: Config, seed: number | undefined): Config {
  return seed === undefined ? config : { ...config, seed };
}

/** Runs a pipeline to its end, or until a signal asks it to stop, and prints how it went. */
export async function runPipeline(config: Config, options: RunOptions): Promise<void> {
  collectLessOften();
  const isBounded = options.once === true;
  const logger = await commandLogger();
  const service = await startService({ config, isBounded, isFresh: options.fresh === true, logger });
  announce(service, config, logger);
  const stopped = onStopSignal(config.shutdownTimeout, () => {
    logger.info('stopping: saving what was learned');
    service.stop();
  });
  const unwatch = watchProgress(service, logger);
  try {
    const ending = await service.ended;
    report(ending, config, options);
    if (ending.halted !== null && !isBounded) await Promise.race([stopped, service.failed]);
    if (ending.halted !== null && isBounded) process.exitCode = 1;
  } finally {
    unwatch();
    await service.close();
  }
}

/** Says where the page is and from where learning goes on. */
export function announce(service: Service, config: Config, logger: Logger): void {
  const { checkpoint, url } = service;
  const from = checkpoint === null ? 'a fresh start' : `${checkpoint.manifest.id}, step ${checkpoint.manifest.step}`;
  logger.info(`${config.name}: live page at ${url}, metrics at ${url}/metrics; going on from ${from}`);
}

/** Prints the scores at the end of a run. */
export function report(ending: Ending, config: Config, { json }: { readonly json?: true }): void {
  if (json) {
    printJson(summaryOf(ending, config.serve));
    return;
  }
  for (const line of summaryLines(ending.facts, config.serve)) printLine(line);
}
